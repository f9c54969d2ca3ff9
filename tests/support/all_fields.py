"""Configurations, in the API's shape, that together set every field of CreateHarness and every member of every union.

Each is one that the service would accept, so they serve as input of templates, of the local cloud and of round trips.
`tests/unit/config/test_all_fields.py` proves that no field is missing.
"""

from __future__ import annotations

import copy
from typing import Any

ACCOUNT = "111122223333"
REGION = "us-east-1"
_AGENTCORE = f"arn:aws:bedrock-agentcore:{REGION}:{ACCOUNT}"
_API_KEY = f"{_AGENTCORE}:token-vault/default/apikeycredentialprovider/openai-key"
_VPC_ENVIRONMENT: dict[str, Any] = {
    "networkMode": "VPC",
    "networkModeConfig": {
        "securityGroups": ["sg-0123456789abcdef0"],
        "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    },
}
_TUNING = {"maxTokens": 4096, "temperature": 0.25, "topP": 0.75}

_EVERYTHING: dict[str, Any] = {
    "harnessName": "Everything_1",
    "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/path/Everything",
    "environment": {
        "agentCoreRuntimeEnvironment": {
            "lifecycleConfiguration": {"idleRuntimeSessionTimeout": 601, "maxLifetime": 7201},
            "networkConfiguration": _VPC_ENVIRONMENT,
            "filesystemConfigurations": [
                {"sessionStorage": {"mountPath": "/mnt/session"}},
                {
                    "efsAccessPoint": {
                        "accessPointArn": (
                            f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:access-point/fsap-0123456789abcdef0"
                        ),
                        "mountPath": "/mnt/efs",
                    }
                },
                {
                    "s3FilesAccessPoint": {
                        "accessPointArn": (
                            f"arn:aws:s3files:{REGION}:{ACCOUNT}:file-system/fs-0123456789abcdef0"
                            "/access-point/fsap-0123456789abcdef0"
                        ),
                        "mountPath": "/mnt/s3files",
                    }
                },
            ],
        }
    },
    "environmentArtifact": {
        "containerConfiguration": {"containerUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/agents/tools:1.2.3"}
    },
    "environmentVariables": {"LOG_LEVEL": "debug", "kept-as-is": "MixedCase"},
    "authorizerConfiguration": {
        "customJWTAuthorizer": {
            "discoveryUrl": "https://id.example.com/.well-known/openid-configuration",
            "allowedAudience": ["audience-1"],
            "allowedClients": ["client-1"],
            "allowedScopes": ["agents/invoke"],
            "advertisedScopeMapping": {"agents/invoke": "api://agents/invoke"},
            "customClaims": [
                {
                    "inboundTokenClaimName": "department",
                    "inboundTokenClaimValueType": "STRING",
                    "authorizingClaimMatchValue": {
                        "claimMatchValue": {"matchValueString": "engineering"},
                        "claimMatchOperator": "EQUALS",
                    },
                },
                {
                    "inboundTokenClaimName": "roles",
                    "inboundTokenClaimValueType": "STRING_ARRAY",
                    "authorizingClaimMatchValue": {
                        "claimMatchValue": {"matchValueString": "admin"},
                        "claimMatchOperator": "CONTAINS",
                    },
                },
                {
                    "inboundTokenClaimName": "groups",
                    "inboundTokenClaimValueType": "STRING_ARRAY",
                    "authorizingClaimMatchValue": {
                        "claimMatchValue": {"matchValueStringList": ["readers", "writers"]},
                        "claimMatchOperator": "CONTAINS_ANY",
                    },
                },
            ],
            "privateEndpoint": {
                "managedVpcResource": {
                    "vpcIdentifier": "vpc-0123456789abcdef0",
                    "subnetIds": ["subnet-0123456789abcdef2"],
                    "endpointIpAddressType": "IPV4",
                    "securityGroupIds": ["sg-0123456789abcdef1"],
                    "tags": {"purpose": "identity"},
                    "routingDomain": "id.internal.example.com",
                }
            },
            "privateEndpointOverrides": [
                {
                    "domain": "keys.example.com",
                    "privateEndpoint": {
                        "selfManagedLatticeResource": {"resourceConfigurationIdentifier": "rcfg-0123456789abcdefg"}
                    },
                }
            ],
        }
    },
    "model": {
        "bedrockModelConfig": {
            "modelId": "global.anthropic.claude-sonnet-4-6",
            **_TUNING,
            "apiFormat": "converse_stream",
            "additionalParams": {
                "guardrailConfig": {"guardrailIdentifier": "abc123", "guardrailVersion": "1", "trace": "enabled"},
                "snake_key": {"PascalKey": [1, True, {}, []]},
            },
        }
    },
    "systemPrompt": [{"text": "You are thorough."}, {"text": "You are brief."}],
    "tools": [
        {
            "type": "remote_mcp",
            "name": "docs",
            "config": {"remoteMcp": {"url": "https://mcp.example.com/mcp", "headers": {"X-Team": "agents"}}},
        },
        {
            "type": "agentcore_browser",
            "name": "browser",
            "config": {"agentCoreBrowser": {"browserArn": f"{_AGENTCORE}:browser-custom/research-0123456789"}},
        },
        {
            "type": "agentcore_gateway",
            "name": "orders",
            "config": {
                "agentCoreGateway": {
                    "gatewayArn": f"{_AGENTCORE}:gateway/orders-0123456789",
                    "outboundAuth": {
                        "oauth": {
                            "providerArn": f"{_AGENTCORE}:token-vault/default/oauth2credentialprovider/orders",
                            "scopes": ["orders/read"],
                            "customParameters": {"resource": "orders"},
                            "grantType": "CLIENT_CREDENTIALS",
                            "defaultReturnUrl": "https://app.example.com/return",
                        }
                    },
                }
            },
        },
        {
            "type": "inline_function",
            "name": "refund",
            "config": {
                "inlineFunction": {
                    "description": "Refunds an order.",
                    "inputSchema": {
                        "type": "object",
                        "properties": {"order_id": {"type": "string"}, "Amount": {"type": "number"}},
                        "required": ["order_id"],
                    },
                }
            },
        },
        {
            "type": "agentcore_code_interpreter",
            "name": "python",
            "config": {
                "agentCoreCodeInterpreter": {
                    "codeInterpreterArn": f"{_AGENTCORE}:code-interpreter-custom/python-0123456789"
                }
            },
        },
    ],
    "skills": [
        {"path": "/opt/skills/report"},
        {"s3": {"uri": "s3://agent-skills/report/v1"}},
        {
            "git": {
                "url": "https://git.example.com/skills.git",
                "path": "skills/report",
                "auth": {"credentialArn": _API_KEY, "username": "reader"},
            }
        },
        {"awsSkills": {"paths": ["core-skills/*"]}},
    ],
    "allowedTools": ["@builtin", "@docs/*", "@orders/orders___list", "refund"],
    "memory": {
        "managedMemoryConfiguration": {
            "strategies": ["SEMANTIC", "SUMMARIZATION", "USER_PREFERENCE", "EPISODIC"],
            "eventExpiryDuration": 31,
            "encryptionKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef",
        }
    },
    "truncation": {
        "strategy": "summarization",
        "config": {
            "summarization": {
                "summaryRatio": 0.4,
                "preserveRecentMessages": 6,
                "summarizationSystemPrompt": "Keep the decisions.",
            }
        },
    },
    "hooks": [
        {
            "beforeInvocation": {
                "name": "guard",
                "target": {
                    "lambda": {
                        "arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:guard",
                        "timeoutSeconds": 30,
                        "failureMode": "allow",
                    }
                },
            }
        },
        {
            "beforeToolCall": {
                "name": "ask",
                "target": {"lambda": {"arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:ask"}},
            }
        },
        {"afterToolCall": {"name": "tell", "target": {"sns": {"arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:tool-calls"}}}},
        {
            "afterInvocation": {
                "name": "record",
                "target": {"eventBridge": {"arn": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/agents"}},
            }
        },
    ],
    "maxIterations": 41,
    "maxTokens": 100001,
    "timeoutSeconds": 1801,
    "tags": {"team": "agents", "Cost-Center": "42"},
}


def _variant(name: str, **changes: Any) -> dict[str, Any]:
    base = {"harnessName": name, "executionRoleArn": _EVERYTHING["executionRoleArn"], "model": _EVERYTHING["model"]}
    return {**base, **changes}


_VARIANTS: dict[str, dict[str, Any]] = {
    "openai": _variant(
        "OpenAi",
        model={
            "openAiModelConfig": {
                "modelId": "gpt-5",
                "apiKeyArn": _API_KEY,
                "apiBase": "https://models.example.com/v1",
                **_TUNING,
                "apiFormat": "chat_completions",
                "additionalParams": {"reasoning_effort": "low"},
            }
        },
        memory={
            "agentCoreMemoryConfiguration": {
                "arn": f"{_AGENTCORE}:memory/customers-0123456789",
                "actorId": "customer-7",
                "messagesCount": 12,
                "retrievalConfig": {
                    "/facts/{actorId}/": {"topK": 11, "relevanceScore": 0.3, "strategyId": "facts-0123456789"}
                },
            }
        },
        truncation={"strategy": "sliding_window", "config": {"slidingWindow": {"messagesCount": 50}}},
        tools=[
            {
                "type": "agentcore_gateway",
                "name": "signed",
                "config": {
                    "agentCoreGateway": {
                        "gatewayArn": f"{_AGENTCORE}:gateway/signed-0123456789",
                        "outboundAuth": {"awsIam": {}},
                    }
                },
            },
            {
                "type": "agentcore_gateway",
                "name": "open",
                "config": {
                    "agentCoreGateway": {
                        "gatewayArn": f"{_AGENTCORE}:gateway/open-0123456789",
                        "outboundAuth": {"none": {}},
                    }
                },
            },
            {"type": "agentcore_browser", "config": {"agentCoreBrowser": {}}},
            {"type": "agentcore_code_interpreter"},
        ],
    ),
    "gemini": _variant(
        "Gemini",
        model={
            "geminiModelConfig": {
                "modelId": "gemini-3-pro",
                "apiKeyArn": _API_KEY,
                **_TUNING,
                "topK": 40,
                "additionalParams": {"safety": "high"},
            }
        },
        memory={"disabled": {}},
        truncation={"strategy": "none"},
        skills=[{"awsSkills": {}}],
        environment={
            "agentCoreRuntimeEnvironment": {
                "networkConfiguration": {"networkMode": "PUBLIC"},
                "filesystemConfigurations": [{"sessionStorage": {"mountPath": "/mnt/data"}}],
            }
        },
    ),
    "litellm": _variant(
        "LiteLlm",
        model={
            "liteLlmModelConfig": {
                "modelId": "anthropic/claude-sonnet-4-6",
                "apiKeyArn": _API_KEY,
                "apiBase": "https://proxy.example.com",
                **_TUNING,
                "additionalParams": {"num_retries": 2},
            }
        },
        memory={"managedMemoryConfiguration": {}},
        authorizerConfiguration={
            "customJWTAuthorizer": {
                "discoveryUrl": "https://id.example.com/.well-known/openid-configuration",
                "allowedClients": ["client-1"],
                "privateEndpoint": {
                    "selfManagedLatticeResource": {"resourceConfigurationIdentifier": "rcfg-0123456789abcdefg"}
                },
                "privateEndpointOverrides": [
                    {
                        "domain": "keys.example.com",
                        "privateEndpoint": {
                            "managedVpcResource": {
                                "vpcIdentifier": "vpc-0123456789abcdef0",
                                "subnetIds": ["subnet-0123456789abcdef2"],
                                "endpointIpAddressType": "IPV6",
                                "securityGroupIds": ["sg-0123456789abcdef1"],
                                "tags": {"purpose": "keys"},
                                "routingDomain": "keys.internal.example.com",
                            }
                        },
                    }
                ],
            }
        },
        # Every event with every kind of target.
        hooks=[
            {event: {"name": f"{event}-{kind}", "target": {kind: {"arn": arn, **extra}}}}
            for event in ("beforeInvocation", "beforeToolCall", "afterToolCall", "afterInvocation")
            for kind, arn, extra in (
                (
                    "lambda",
                    f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:any",
                    {"timeoutSeconds": 5, "failureMode": "deny"},
                ),
                ("sns", f"arn:aws:sns:{REGION}:{ACCOUNT}:any", {}),
                ("eventBridge", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/any", {}),
            )
        ],
    ),
}

_API_ONLY: dict[str, dict[str, Any]] = {
    "api_only": _variant(
        "ApiOnly",
        environment={
            "agentCoreRuntimeEnvironment": {
                "networkConfiguration": {
                    "networkMode": "VPC",
                    "networkModeConfig": {**_VPC_ENVIRONMENT["networkModeConfig"], "requireServiceS3Endpoint": False},
                },
                "filesystemConfigurations": [
                    {"capacityProviderVolume": {"volumeName": "models", "mountPath": "/mnt/models"}}
                ],
            }
        },
        authorizerConfiguration={
            "customJWTAuthorizer": {
                "discoveryUrl": "https://id.example.com/.well-known/oauth-authorization-server/tenant",
                "allowedClients": ["client-1"],
                "privateEndpoint": {
                    "selfManagedLatticeResource": {"resourceConfigurationIdentifier": "rcfg-0123456789abcdefg"}
                },
                "certificateConfigurations": [
                    {"s3": {"uri": "s3://certificates/ca.pem", "bucketOwnerAccountId": ACCOUNT}}
                ],
                "allowedWorkloadConfiguration": {
                    "hostingEnvironments": [{"arn": f"{_AGENTCORE}:gateway/orders-0123456789"}],
                    "workloadIdentities": ["orders-gateway"],
                },
            }
        },
        tools=[
            {
                "type": "remote_mcp",
                "name": "signed",
                "config": {
                    "remoteMcp": {
                        "url": "https://mcp.example.com/mcp",
                        "outboundAuth": {"awsIam": {"service": "execute-api", "region": REGION}},
                    }
                },
            },
            {
                "type": "remote_mcp",
                "name": "open",
                "config": {"remoteMcp": {"url": "https://mcp.example.com/open", "outboundAuth": {"none": {}}}},
            },
            {
                "type": "agentcore_gateway",
                "name": "on-behalf",
                "config": {
                    "agentCoreGateway": {
                        "gatewayArn": f"{_AGENTCORE}:gateway/orders-0123456789",
                        "outboundAuth": {
                            "oauth": {
                                "providerArn": f"{_AGENTCORE}:token-vault/default/oauth2credentialprovider/orders",
                                "scopes": [],
                                "grantType": "TOKEN_EXCHANGE",
                            }
                        },
                    }
                },
            },
        ],
    ),
    # Templates have no null.
    "api_only_null": _variant(
        "ApiOnlyNull",
        model={"bedrockModelConfig": {"modelId": "m", "additionalParams": {"stop": None, "deep": [{"er": [1, None]}]}}},
    ),
    "api_only_secret": _variant(
        "ApiOnlySecret",
        authorizerConfiguration={
            "customJWTAuthorizer": {
                "discoveryUrl": "https://id.example.com/.well-known/openid-configuration",
                "allowedClients": ["client-1"],
                "privateEndpoint": {
                    "selfManagedLatticeResource": {"resourceConfigurationIdentifier": "rcfg-0123456789abcdefg"}
                },
                "certificateConfigurations": [
                    {
                        "secretsManager": {
                            "secretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:certificates/ca-AbCdEf"
                        }
                    }
                ],
            }
        },
    ),
}


def cloudformation_configs() -> dict[str, dict[str, Any]]:
    """Returns configurations that set everything CloudFormation can say, by name; fresh copies at each call."""
    return copy.deepcopy({"everything": _EVERYTHING, **_VARIANTS})


def api_only_configs() -> dict[str, dict[str, Any]]:
    """Returns configurations that set what only the API takes, by name; fresh copies at each call."""
    return copy.deepcopy(_API_ONLY)


def all_configs() -> dict[str, dict[str, Any]]:
    """Returns both kinds."""
    return {**cloudformation_configs(), **api_only_configs()}
