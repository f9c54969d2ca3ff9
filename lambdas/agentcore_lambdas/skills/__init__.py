"""Skills out of Git repositories, fetched without the `git` command: Lambda has none."""

from .errors import GitError
from .limits import Limits
from .repository import Source, checkout
from .tree import Checkout, File

__all__ = ["Checkout", "File", "GitError", "Limits", "Source", "checkout"]
