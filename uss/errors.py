"""What can stop a run, and the types that say so.

    UssError
    ├── ConfigurationError      the stack configuration or a PAM Configuration is wrong
    ├── VaultError              the vault could not be read whole; nothing was declared
    │   ├── VaultDeniedError         Keeper refused this application
    │   ├── VaultUnavailableError    no answer: unreachable, or failing
    │   │   └── VaultThrottledError  throttled for longer than the run waits
    │   └── VaultIncompleteError     an answer, but not a whole one
    ├── StateError              the stack's last checkpoint could not be read
    ├── CloudError              a cloud did not say what it holds already
    │   └── CloudDeniedError         the Sync Identity may not ask, or is not accepted
    ├── EngineError             Pulumi's engine could not be started for a command
    ├── RegistrationError       the engine could not write a resource, has said why, and goes on with others
    ├── CommentError            the plan could not be put on a pull request
    └── GuardError              a rule of safety stops the run before anything is declared

Every message says what was found, where, and what to do, and holds no secret value. Errors of vendors are
translated at the edge that calls them and chained.
"""

from __future__ import annotations


class UssError(Exception):
    """The root of all errors that a person is meant to read."""


class ConfigurationError(UssError):
    """The stack configuration, or the PAM Configuration record that it names, cannot be used."""


class VaultError(UssError):
    """The vault could not be read whole, so nothing was declared."""


class VaultDeniedError(VaultError):
    """Keeper refused the application's request."""


class VaultUnavailableError(VaultError):
    """Keeper gave no usable answer: unreachable, or failing."""


class VaultThrottledError(VaultUnavailableError):
    """Keeper throttled the application for longer than the run waits."""


class VaultIncompleteError(VaultError):
    """Keeper answered, but what it answered is not the whole of what the run needs."""


class StateError(UssError):
    """What the stack's last checkpoint holds could not be read, so nothing can be planned safely."""


class CloudError(UssError):
    """A cloud did not say what it holds already, so nothing was declared, or imported into Keeper."""


class CloudDeniedError(CloudError):
    """The Sync Identity may not ask what the cloud holds, or the cloud does not accept it."""


class EngineError(UssError):
    """A command could not start Pulumi's engine on the stack."""


class RegistrationError(UssError):
    """The engine answered that it could not write a resource, which it does where it goes on after a failure
    (`--continue-on-error`); it has told what went wrong. The text is the resource's logical name.
    """


class CommentError(UssError):
    """The plan could not be put on a pull request as a comment."""


class GuardError(UssError):
    """A rule of safety stops the run before anything is declared."""

    def __init__(self, text: str, *, approval: str = "") -> None:
        """`approval` is what lets exactly this plan pass; the text tells it then."""
        mend = f" If this is what you want, approve this very plan: {approval} pulumi up." if approval else ""
        super().__init__(text + mend)
        self.approvable = bool(approval)
