"""Direct deployment of cloud assemblies: order, assets, parameters, long templates, failures."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sqs as sqs
from support import stacks
from support.stacks import get_att

from agentcore_local.deploy import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account

BUCKET = "assets-${AWS::AccountId}-${AWS::Region}"


class Assembly:
    """Writes a cloud assembly piece by piece, as `cdk synth` does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.artifacts: dict[str, Any] = {}

    def stack(self, name: str, template: dict[str, Any], *needs: str, **properties: Any) -> None:
        (self.folder / f"{name}.json").write_text(json.dumps(template))
        properties["templateFile"] = f"{name}.json"
        self.artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "properties": properties,
            "dependencies": [*needs, *([f"{name}.assets"] if f"{name}.assets" in self.artifacts else [])],
        }

    def assets(self, name: str, **manifest: Any) -> None:
        (self.folder / f"{name}.assets.json").write_text(json.dumps(manifest))
        properties = {"file": f"{name}.assets.json"}
        self.artifacts[f"{name}.assets"] = {"type": "cdk:asset-manifest", "properties": properties}

    def write(self) -> Path:
        (self.folder / "manifest.json").write_text(json.dumps({"artifacts": self.artifacts}))
        return self.folder


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    return Assembly(tmp_path)


def exporting(value: str) -> dict[str, Any]:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": value}}
    return {
        "Resources": {"Topic": topic},
        "Outputs": {"Arn": {"Value": {"Ref": "Topic"}, "Export": {"Name": f"{value}-arn"}}},
    }


def importing(value: str) -> dict[str, Any]:
    parameter = {"Type": "String", "Value": {"Fn::ImportValue": f"{value}-arn"}, "Name": f"/{value}"}
    return {"Resources": {"Parameter": {"Type": "AWS::SSM::Parameter", "Properties": parameter}}}


def test_stacks_go_in_the_order_of_their_dependencies(assembly: Assembly, account: Account) -> None:
    assembly.stack("Second", importing("shared"), "First")
    assembly.stack("First", exporting("shared"))
    assert list(account.deploy(assembly.write())) == ["First", "Second"]


def test_a_chosen_stack_brings_what_it_needs_and_no_more(assembly: Assembly, account: Account) -> None:
    assembly.stack("Third", exporting("other"))
    assembly.stack("Second", importing("shared"), "First", stackName="named-second")
    assembly.stack("First", exporting("shared"))
    assert list(account.deploy(assembly.write(), ["named-second"])) == ["First", "named-second"]


def test_a_stack_that_is_not_there_is_named(assembly: Assembly, account: Account) -> None:
    assembly.stack("First", exporting("shared"))
    with pytest.raises(DeploymentError, match=r"no stack Frist in the assembly; it has First"):
        account.deploy(assembly.write(), ["Frist"])


def test_files_and_folders_are_published_where_the_manifest_says(assembly: Assembly, account: Account) -> None:
    folder = assembly.folder / "asset.code"
    folder.mkdir()
    (folder / "index.py").write_text("def handler(event, context): return 'from the asset'")
    digest = hashlib.sha256(b"code").hexdigest()
    destination = {"here": {"bucketName": BUCKET, "objectKey": f"{digest}.zip", "assumeRoleArn": "ignored"}}
    files = {digest: {"source": {"path": "asset.code", "packaging": "zip"}, "destinations": destination}}
    assembly.assets("Code", files=files)
    where = {"S3Bucket": {"Fn::Sub": BUCKET}, "S3Key": f"{digest}.zip"}
    properties = {"Runtime": "python3.12", "Handler": "index.handler", "Role": get_att("Role", "Arn"), "Code": where}
    function = {"Type": "AWS::Lambda::Function", "Properties": properties}
    assembly.stack("Code", stacks.template({"Name": {"Ref": "Function"}}, Function=function))
    name = account.deploy(assembly.write())["Code"].outputs["Name"]
    answer = account.client("lambda").invoke(FunctionName=name)
    assert json.loads(answer["Payload"].read()) == "from the asset"


def test_container_images_are_registered_and_not_built(
    assembly: Assembly, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    repository = "cdk-hnb659fds-container-assets-${AWS::AccountId}-${AWS::Region}"
    destinations = {"here": {"repositoryName": repository, "imageTag": "abc"}}
    assembly.assets("Code", dockerImages={"abc": {"source": {"directory": "x"}, "destinations": destinations}})
    assembly.stack("Code", exporting("shared"))
    account.deploy(assembly.write())
    name = f"cdk-hnb659fds-container-assets-{account.account_id}-{account.region}"
    found = account.client("ecr").describe_images(repositoryName=name, imageIds=[{"imageTag": "abc"}])["imageDetails"]
    assert found[0]["imageTags"] == ["abc"]
    assert f"image {name}:abc is registered and not built" in caplog.text


def test_a_template_too_long_for_a_request_is_deployed(assembly: Assembly, account: Account) -> None:
    template = exporting("long")
    template["Metadata"] = {"Padding": "x" * 60_000}
    assembly.stack("Long", template)
    assert account.deploy(assembly.write())["Long"].changed


def test_no_bootstrap_is_needed(assembly: Assembly, account: Account) -> None:
    template = exporting("plain")
    parameter = "/cdk-bootstrap/hnb659fds/version"
    template["Parameters"] = {"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": parameter}}
    template["Rules"] = {"CheckBootstrapVersion": {"Assertions": []}}
    assembly.stack("Plain", template)
    assert account.deploy(assembly.write())["Plain"].changed


def test_parameters_and_tags_reach_the_stack(assembly: Assembly, account: Account) -> None:
    template = {
        "Parameters": {"Name": {"Type": "String"}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Name"}}}},
        "Outputs": {"Arn": {"Value": {"Ref": "Topic"}}},
    }
    assembly.stack("Tagged", template, parameters={"Name": "t-${AWS::Region}"}, tags={"team": "a"})
    arn = account.deploy(assembly.write())["Tagged"].outputs["Arn"]
    assert arn.endswith(":t-us-east-1")
    tags = account.client("sns").list_tags_for_resource(ResourceArn=arn)["Tags"]
    assert {"Key": "team", "Value": "a"} in tags


def test_a_failure_names_the_resource_and_the_reason(assembly: Assembly, account: Account) -> None:
    assembly.stack("Bad", {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"Nmae": "q"}}}})
    with pytest.raises(DeploymentError, match=r"(?s)Bad is ROLLBACK_COMPLETE: Queue \(AWS::SQS::Queue\).*\[Nmae\]"):
        account.deploy(assembly.write())


def test_a_failure_is_found_among_many_events(assembly: Assembly, account: Account) -> None:
    topics = {f"Topic{n}": {"Type": "AWS::SNS::Topic", "Properties": {}} for n in range(60)}
    queue = {"Type": "AWS::SQS::Queue", "DependsOn": list(topics), "Properties": {"Nmae": "q"}}
    assembly.stack("Bad", {"Resources": {**topics, "Queue": queue}})
    with pytest.raises(DeploymentError, match=r"(?s)Queue \(AWS::SQS::Queue\).*\[Nmae\]"):
        account.deploy(assembly.write())


def test_after_a_failed_creation_the_next_one_starts_afresh(assembly: Assembly, account: Account) -> None:
    assembly.stack("Stack", {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"Nmae": "q"}}}})
    with pytest.raises(DeploymentError):
        account.deploy(assembly.write())
    assembly.stack("Stack", exporting("good"))
    assert account.deploy(assembly.write())["Stack"].changed


def test_destroying_a_stack_that_does_not_exist_is_fine(account: Account) -> None:
    account.destroy("Nothing")


def test_what_is_retained_stays(assembly: Assembly, account: Account) -> None:
    template = exporting("kept")
    template["Resources"]["Topic"]["DeletionPolicy"] = "Retain"
    assembly.stack("Stack", template)
    account.deploy(assembly.write())
    account.destroy("Stack")
    assert len(account.client("sns").list_topics()["Topics"]) == 1


def test_other_regions(assembly: Assembly, account: Account) -> None:
    elsewhere = account.cloud.account(account.account_id, region="eu-west-1")
    template = exporting("far")
    template["Metadata"] = {"Padding": "x" * 60_000}
    assembly.stack("Far", template)
    arn = elsewhere.deploy(assembly.write())["Far"].outputs["Arn"]
    assert arn == f"arn:aws:sns:eu-west-1:{account.account_id}:far"


class TestApps:
    """Assemblies of real apps: stages, Regions, accounts."""

    @staticmethod
    def synthesized(folder: Path, build: Callable[[cdk.App], object]) -> Path:
        app = cdk.App(outdir=str(folder / uuid.uuid4().hex))
        build(app)
        return Path(app.synth().directory)

    def test_stacks_of_stages_are_deployed_and_chosen_by_name_path_or_id(
        self, account: Account, tmp_path: Path
    ) -> None:
        def build(app: cdk.App) -> None:
            for name in ("Test", "Prod"):
                stage = cdk.Stage(app, name)
                first, second = cdk.Stack(stage, "First"), cdk.Stack(stage, "Second")
                queue = sqs.Queue(first, "Queue")
                cdk.CfnOutput(second, "Arn", value=queue.queue_arn)

        assembly = self.synthesized(tmp_path, build)
        assert list(account.deploy(assembly, ["Prod/Second"])) == ["Prod-First", "Prod-Second"]
        done = account.deploy(assembly)
        assert {name: one.changed for name, one in done.items()} == {
            "Test-First": True,
            "Test-Second": True,
            "Prod-First": False,
            "Prod-Second": False,
        }
        with pytest.raises(DeploymentError, match="no stack Prod in the assembly; it has Prod-First, Prod-Second, "):
            account.deploy(assembly, ["Prod"])

    def test_a_stack_goes_to_the_region_it_was_synthesized_for(self, account: Account, tmp_path: Path) -> None:
        """And what one in another Region gives it comes along, through aws-cdk-lib's cross-Region references."""

        def build(app: cdk.App, *names: str) -> None:
            def stack(region: str) -> cdk.Stack:
                env = cdk.Environment(account=account.account_id, region=region)
                return cdk.Stack(app, f"In{region[:2]}", stack_name="Same", env=env, cross_region_references=True)

            giver, taker = stack("eu-west-1"), stack("us-east-1")
            for name in names:
                cdk.CfnOutput(taker, name, value=sqs.Queue(giver, f"{name}Queue").queue_arn)
            cdk.CfnOutput(taker, "Always", value="x")

        done = account.deploy(self.synthesized(tmp_path, lambda app: build(app, "A", "B")))
        assert {name: one.region for name, one in done.items()} == {"Ineu": "eu-west-1", "Inus": "us-east-1"}
        there = account.in_region("eu-west-1").client("sqs").list_queues()["QueueUrls"]
        assert len(there) == 2
        assert done["Inus"].outputs["A"].startswith(f"arn:aws:sqs:eu-west-1:{account.account_id}:")
        assert not account.client("sqs").list_queues().get("QueueUrls")

        ssm = account.client("ssm")
        parameters = ssm.get_parameters_by_path(Path="/cdk/exports", Recursive=True)["Parameters"]
        assert sorted(one["Value"] for one in parameters) == sorted(done["Inus"].outputs[name] for name in "AB")
        account.deploy(self.synthesized(tmp_path, lambda app: build(app, "B", "C")))
        parameters = ssm.get_parameters_by_path(Path="/cdk/exports", Recursive=True)["Parameters"]
        assert [one["Name"].partition("Queue")[0][-1] for one in parameters] == ["B", "C"]
        account.destroy("Same")
        account.in_region("eu-west-1").destroy("Same")
        assert ssm.get_parameters_by_path(Path="/cdk/exports", Recursive=True)["Parameters"] == []

    def test_stacks_for_other_accounts_are_refused_before_anything_is_made(
        self, account: Account, tmp_path: Path
    ) -> None:
        def build(app: cdk.App) -> None:
            cdk.Stack(app, "Here").export_value("x", name="x")
            cdk.Stack(app, "There", env=cdk.Environment(account="999988887777", region="us-east-1"))

        with pytest.raises(
            DeploymentError, match=rf"other accounts than {account.account_id}: There for 999988887777;"
        ):
            account.deploy(self.synthesized(tmp_path, build))
        assert account.client("cloudformation").list_stacks()["StackSummaries"] == []


class TestExports:
    """What one stack exports and another imports."""

    @pytest.fixture(autouse=True)
    def _two_stacks(self, assembly: Assembly, account: Account) -> None:
        assembly.stack("First", exporting("shared"))
        assembly.stack("Second", importing("shared"), "First")
        account.deploy(assembly.write())

    def value(self, account: Account) -> list[str]:
        return [export["Value"] for export in account.client("cloudformation").list_exports()["Exports"]]

    def test_one_in_use_is_not_updated(self, assembly: Assembly, account: Account) -> None:
        template = exporting("shared")
        template["Resources"]["Topic"]["Properties"]["TopicName"] = "another"
        assembly.stack("First", template)
        before = self.value(account)
        with pytest.raises(DeploymentError, match="Export shared-arn cannot be updated as it is in use by Second"):
            account.deploy(assembly.write(), ["First"])
        assert self.value(account) == before

    def test_one_in_use_is_not_deleted(self, assembly: Assembly, account: Account) -> None:
        assembly.stack("First", {"Resources": exporting("shared")["Resources"]})
        with pytest.raises(DeploymentError, match="Export shared-arn cannot be deleted as it is in use by Second"):
            account.deploy(assembly.write(), ["First"])
        assert len(self.value(account)) == 1

    def test_one_that_nobody_uses_any_more_goes(self, assembly: Assembly, account: Account) -> None:
        account.destroy("Second")
        assembly.stack("First", {"Resources": exporting("shared")["Resources"]})
        account.deploy(assembly.write(), ["First"])
        assert self.value(account) == []

    def test_a_change_set_with_a_new_export_alone_is_executed(self, account: Account) -> None:
        """The CDK CLI deploys with change sets: what another stack of the app newly needs is such a change."""
        template = exporting("shared")
        template["Outputs"]["More"] = {"Value": "more", "Export": {"Name": "more"}}
        cloudformation = account.client("cloudformation")
        names = {"StackName": "First", "ChangeSetName": "outputs"}
        cloudformation.create_change_set(**names, TemplateBody=json.dumps(template))
        assert cloudformation.describe_change_set(**names)["ExecutionStatus"] == "AVAILABLE"
        cloudformation.execute_change_set(**names)
        cloudformation.get_waiter("stack_update_complete").wait(StackName="First", WaiterConfig={"Delay": 1})
        assert "more" in self.value(account)

    def test_a_change_set_without_any_change_is_not(self, account: Account) -> None:
        cloudformation = account.client("cloudformation")
        names = {"StackName": "First", "ChangeSetName": "nothing"}
        cloudformation.create_change_set(**names, TemplateBody=json.dumps(exporting("shared")))
        assert cloudformation.describe_change_set(**names)["ExecutionStatus"] == "UNAVAILABLE"
