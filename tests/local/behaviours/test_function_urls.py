"""Function URLs of Lambda: whom they let in, and what their functions are told of who calls."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from support import stacks
from support.behaviours import behaviour

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account, LocalCloud

TOPIC = "Function URLs"
SOURCES = (
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html",
)
URL, FUNCTION = "lambda:InvokeFunctionUrl", "lambda:InvokeFunction"
CODE = "def handler(event, context): return event['requestContext']"
Statement = dict[str, Any]


@pytest.fixture(scope="module")
def home(local_cloud: LocalCloud) -> Account:
    return local_cloud.account()


@pytest.fixture(scope="module")
def make(home: Account) -> Callable[[str], tuple[str, str]]:
    """Makes a function with a URL: its name, and where it is."""
    iam, client = home.client("iam"), home.client("lambda")
    role = iam.create_role(
        RoleName="function", AssumeRolePolicyDocument=json.dumps(stacks.trust("lambda.amazonaws.com"))
    )["Role"]["Arn"]

    def made(auth_type: str) -> tuple[str, str]:
        name = f"f{uuid.uuid4().hex[:8]}"
        code = {"ZipFile": stacks.zipped({"index.py": CODE})}
        client.create_function(
            FunctionName=name, Role=role, Runtime="python3.12", Handler="index.handler", Code=code, Timeout=20
        )
        return name, client.create_function_url_config(FunctionName=name, AuthType=auth_type)["FunctionUrl"]

    return made


@pytest.fixture(scope="module")
def signed_url(make: Any) -> tuple[str, str]:
    found: tuple[str, str] = make("AWS_IAM")
    return found


@pytest.fixture
def user(home: Account) -> Callable[..., tuple[Credentials, dict[str, Any]]]:
    """Makes a user with statements: its credentials, and what IAM knows of it."""
    iam = home.client("iam")

    def made(*statements: Statement) -> tuple[Credentials, dict[str, Any]]:
        name = f"user-{uuid.uuid4().hex[:8]}"
        about = iam.create_user(UserName=name)["User"]
        if statements:
            document = {"Version": "2012-10-17", "Statement": list(statements)}
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"]), about

    return made


def allow(action: str, name: str, **condition: Any) -> Statement:
    about = {"Condition": condition} if condition else {}
    return {"Effect": "Allow", "Action": action, "Resource": f"arn:aws:lambda:*:*:function:{name}", **about}


def call(home: Account, url: str, credentials: Credentials | None = None) -> tuple[int, dict[str, Any]]:
    """Status and body of a request, sent to the host name of the real thing."""
    request = AWSRequest("GET", url)
    if credentials is not None:
        SigV4Auth(credentials, "lambda", home.region).add_auth(request)
    address = urlsplit(url)
    headers = {**dict(request.headers), "Host": address.netloc}
    try:
        with urlopen(Request(f"{home.cloud.endpoint_url}{address.path}", headers=headers), timeout=60) as reply:
            return reply.status, json.load(reply)
    except HTTPError as error:
        return error.code, json.loads(error.read())


@behaviour("With `AWS_IAM`, the function is told who calls: ARN, user id, account and access key")
def test_the_function_is_told_who_calls(home: Account, signed_url: tuple[str, str], user: Any) -> None:
    name, url = signed_url
    credentials, about = user(allow(URL, name), allow(FUNCTION, name))
    status, context = call(home, url, credentials)
    assert (status, context["authorizer"]["iam"]) == (
        200,
        {
            "accessKey": credentials.access_key,
            "accountId": home.account_id,
            "callerId": about["UserId"],
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": about["Arn"],
            "userId": about["UserId"],
        },
    )


def test_a_session_of_a_role_is_told_with_its_name(home: Account, signed_url: tuple[str, str]) -> None:
    name, url = signed_url
    iam = home.client("iam")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": home.account_id}}
    role = iam.create_role(RoleName="approver", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]
    document = {"Version": "2012-10-17", "Statement": [allow(URL, name), allow(FUNCTION, name)]}
    iam.put_role_policy(RoleName="approver", PolicyName="own", PolicyDocument=json.dumps(document))
    taken = home.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="ann")["Credentials"]
    credentials = Credentials(taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"])
    status, context = call(home, url, credentials)
    assert status == 200
    caller = context["authorizer"]["iam"]
    assert caller["userArn"] == f"arn:aws:sts::{home.account_id}:assumed-role/approver/ann"
    assert caller["userId"] == caller["callerId"] == f"{role['RoleId']}:ann"


def test_the_account_itself_is_its_root(home: Account, signed_url: tuple[str, str]) -> None:
    keys = home.session().get_credentials().get_frozen_credentials()
    _, context = call(home, signed_url[1], Credentials(keys.access_key, keys.secret_key))
    assert context["authorizer"]["iam"]["userArn"] == f"arn:aws:iam::{home.account_id}:root"


@behaviour("With `AWS_IAM`, a caller needs `lambda:InvokeFunctionUrl` and `lambda:InvokeFunction`")
@pytest.mark.parametrize("missing", [URL, FUNCTION])
def test_both_permissions_are_needed(home: Account, signed_url: tuple[str, str], user: Any, missing: str) -> None:
    name, url = signed_url
    held = FUNCTION if missing == URL else URL
    status, said = call(home, url, user(allow(held, name))[0])
    assert status == 403
    assert f"not authorized to perform: {missing}" in (said.get("Message") or said["message"])


def test_what_the_cdk_grants_suffices(home: Account, signed_url: tuple[str, str], user: Any) -> None:
    """`grant_invoke_url` writes both actions with these conditions."""
    name, url = signed_url
    by_url = allow(URL, name, StringEquals={"lambda:FunctionUrlAuthType": "AWS_IAM"})
    through = allow(FUNCTION, name, Bool={"lambda:InvokedViaFunctionUrl": True})
    credentials = user(by_url, through)[0]
    assert call(home, url, credentials)[0] == 200


def test_a_request_without_a_signature_is_refused(home: Account, signed_url: tuple[str, str]) -> None:
    assert call(home, signed_url[1]) == (403, {"Message": "Forbidden"})


@behaviour("With `NONE`, the function's own policy must let everybody do both; the function is not told who calls")
def test_a_public_url_takes_a_public_policy(home: Account, make: Any) -> None:
    name, url = make("NONE")
    client, public = home.client("lambda"), {"FunctionName": name, "Principal": "*"}
    assert f"allow {URL} to everybody" in call(home, url)[1]["Message"]
    client.add_permission(**public, StatementId="url", Action=URL, FunctionUrlAuthType="NONE")
    status, said = call(home, url)
    assert (status, f"allow {FUNCTION} to everybody" in said["Message"]) == (403, True)
    client.add_permission(**public, StatementId="function", Action=FUNCTION, InvokedViaFunctionUrl=True)
    status, context = call(home, url)
    assert (status, context["accountId"], "authorizer" in context) == (200, "anonymous", False)


def test_permissions_for_somebody_do_not_make_a_url_public(home: Account, make: Any) -> None:
    name, url = make("NONE")
    client = home.client("lambda")
    somebody = {"FunctionName": name, "Principal": home.account_id}
    client.add_permission(**somebody, StatementId="url", Action=URL, FunctionUrlAuthType="NONE")
    client.add_permission(**somebody, StatementId="function", Action=FUNCTION)
    assert call(home, url)[0] == 403
