"""Agents in AWS Step Functions: the InvokeHarness state and ready-made workflows."""

from __future__ import annotations

from .expressions import RESULT_TEXT, RESULT_USAGE, jsonata, text
from .invoke_harness import DEFAULT_OUTPUTS, DEFAULT_RESULT_SELECTOR, RETRIED_ERRORS, InvokeHarness
from .messages import Message
from .sessions import SessionId
from .workflows import HarnessBatch, ResearchAndWrite

__all__ = [
    "DEFAULT_OUTPUTS",
    "DEFAULT_RESULT_SELECTOR",
    "RESULT_TEXT",
    "RESULT_USAGE",
    "RETRIED_ERRORS",
    "HarnessBatch",
    "InvokeHarness",
    "Message",
    "ResearchAndWrite",
    "SessionId",
    "jsonata",
    "text",
]
