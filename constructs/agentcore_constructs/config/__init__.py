"""The configuration of a harness as data: every field of the API, its limits, and the forms it is written in.

Nothing here imports the CDK, jsii or boto3.
"""

from __future__ import annotations

from .allowed_tools import AllowedTools, GatewayTool, gateway_tool
from .authorizer import (
    AllowedWorkloadConfiguration,
    Authorizer,
    Certificate,
    CertificateConfiguration,
    CustomJWTAuthorizerConfiguration,
    HarnessAuthorizer,
)
from .claims import Claim, CustomClaimValidationType
from .deferred import Deferred, Host
from .endpoint import DEFAULT_ENDPOINT, HarnessEndpointConfig
from .environment import (
    Environment,
    HarnessAgentCoreRuntimeEnvironment,
    HarnessEnvironment,
    LifecycleConfiguration,
    NetworkConfiguration,
    VpcConfig,
)
from .errors import Fault, HarnessConfigError
from .filesystems import (
    CapacityProviderVolumeConfiguration,
    EfsAccessPointConfiguration,
    FilesystemConfiguration,
    S3FilesAccessPointConfiguration,
    SessionStorageConfiguration,
)
from .guardrail import Guardrail
from .harness import CONFIG_FIELDS, HarnessConfig, SystemContentBlock
from .hooks import (
    HarnessHook,
    HarnessHookEvent,
    HarnessHookEventBridgeTarget,
    HarnessHookLambdaTarget,
    HarnessHookSnsTarget,
    HarnessHookTarget,
    Hook,
    HookTarget,
)
from .image import BuildSecret, ContainerConfiguration, HarnessEnvironmentArtifact, HarnessImage
from .memory import (
    HarnessAgentCoreMemoryConfiguration,
    HarnessAgentCoreMemoryRetrievalConfig,
    HarnessManagedMemoryConfiguration,
    HarnessMemoryConfiguration,
    Memory,
    MemoryStrategy,
    RetainedMemory,
    Retrieval,
)
from .model import (
    DEFAULT_MODEL_ID,
    HarnessBedrockModelConfig,
    HarnessGeminiModelConfig,
    HarnessLiteLlmModelConfig,
    HarnessModelConfiguration,
    HarnessOpenAiModelConfig,
    Model,
)
from .mounts import FileSystem
from .node import Empty, Node, OneOf
from .outbound_auth import (
    GatewayAuth,
    HarnessGatewayOutboundAuth,
    HarnessRemoteMcpOutboundAuth,
    IamCredentialProvider,
    MCPAuth,
    OAuthCredentialProvider,
)
from .private_endpoint import ManagedVpcResource, PrivateEndpoint, PrivateEndpointOverride, SelfManagedLatticeResource
from .skills import (
    HarnessSkill,
    HarnessSkillAwsSkillsSource,
    HarnessSkillGitAuth,
    HarnessSkillGitSource,
    HarnessSkillS3Source,
    Skill,
)
from .tokens import is_token
from .tools import (
    HarnessAgentCoreBrowserConfig,
    HarnessAgentCoreCodeInterpreterConfig,
    HarnessAgentCoreGatewayConfig,
    HarnessInlineFunctionConfig,
    HarnessRemoteMcpConfig,
    HarnessTool,
    HarnessToolConfiguration,
    Tool,
    stored_key,
)
from .truncation import HarnessTruncationConfiguration, Truncation
from .unique import BUILTIN_TOOLS

__all__ = [
    "BUILTIN_TOOLS",
    "CONFIG_FIELDS",
    "DEFAULT_ENDPOINT",
    "DEFAULT_MODEL_ID",
    "AllowedTools",
    "AllowedWorkloadConfiguration",
    "Authorizer",
    "BuildSecret",
    "CapacityProviderVolumeConfiguration",
    "Certificate",
    "CertificateConfiguration",
    "Claim",
    "ContainerConfiguration",
    "CustomClaimValidationType",
    "CustomJWTAuthorizerConfiguration",
    "Deferred",
    "EfsAccessPointConfiguration",
    "Empty",
    "Environment",
    "Fault",
    "FileSystem",
    "FilesystemConfiguration",
    "GatewayAuth",
    "GatewayTool",
    "Guardrail",
    "HarnessAgentCoreBrowserConfig",
    "HarnessAgentCoreCodeInterpreterConfig",
    "HarnessAgentCoreGatewayConfig",
    "HarnessAgentCoreMemoryConfiguration",
    "HarnessAgentCoreMemoryRetrievalConfig",
    "HarnessAgentCoreRuntimeEnvironment",
    "HarnessAuthorizer",
    "HarnessBedrockModelConfig",
    "HarnessConfig",
    "HarnessConfigError",
    "HarnessEndpointConfig",
    "HarnessEnvironment",
    "HarnessEnvironmentArtifact",
    "HarnessGatewayOutboundAuth",
    "HarnessGeminiModelConfig",
    "HarnessHook",
    "HarnessHookEvent",
    "HarnessHookEventBridgeTarget",
    "HarnessHookLambdaTarget",
    "HarnessHookSnsTarget",
    "HarnessHookTarget",
    "HarnessImage",
    "HarnessInlineFunctionConfig",
    "HarnessLiteLlmModelConfig",
    "HarnessManagedMemoryConfiguration",
    "HarnessMemoryConfiguration",
    "HarnessModelConfiguration",
    "HarnessOpenAiModelConfig",
    "HarnessRemoteMcpConfig",
    "HarnessRemoteMcpOutboundAuth",
    "HarnessSkill",
    "HarnessSkillAwsSkillsSource",
    "HarnessSkillGitAuth",
    "HarnessSkillGitSource",
    "HarnessSkillS3Source",
    "HarnessTool",
    "HarnessToolConfiguration",
    "HarnessTruncationConfiguration",
    "Hook",
    "HookTarget",
    "Host",
    "IamCredentialProvider",
    "LifecycleConfiguration",
    "MCPAuth",
    "ManagedVpcResource",
    "Memory",
    "MemoryStrategy",
    "Model",
    "NetworkConfiguration",
    "Node",
    "OAuthCredentialProvider",
    "OneOf",
    "PrivateEndpoint",
    "PrivateEndpointOverride",
    "RetainedMemory",
    "Retrieval",
    "S3FilesAccessPointConfiguration",
    "SelfManagedLatticeResource",
    "SessionStorageConfiguration",
    "Skill",
    "SystemContentBlock",
    "Tool",
    "Truncation",
    "VpcConfig",
    "gateway_tool",
    "is_token",
    "stored_key",
]
