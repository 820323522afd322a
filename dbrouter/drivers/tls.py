"""
TLS contexts as both engines' drivers need them: one for the same options, and a new one where the files have changed since.
"""

from __future__ import annotations

import os
import ssl
from functools import lru_cache

from dbrouter.drivers.base import TlsOptions
from dbrouter.errors import ConfigError


def client_context(tls: TlsOptions, *, verified: bool) -> ssl.SSLContext:
    """
    The context for *tls*: *verified* asks for a certificate of the authorities in ``tls.ca``, or of the system's where none is
    given; the mode ``verify-full`` for the host's name in it as well.

    Raises:
        ConfigError: files that cannot be read as what they should be.
    """
    stamps = file_stamps(tls)
    try:
        return _context(tls, verified, stamps)
    except OSError as error:
        raise _unusable(error) from error


def file_stamps(tls: TlsOptions) -> tuple[int, ...]:
    """
    When the files of *tls* were last changed, 0 for one that is not given.

    Raises:
        ConfigError: one is missing.
    """
    try:
        return tuple([os.stat(path).st_mtime_ns if path else 0 for path in (tls.ca, tls.cert, tls.key)])
    except OSError as error:
        raise _unusable(error) from error


def check_mode(tls: TlsOptions, known: tuple[str, ...]) -> None:
    """Raise `ConfigError` where the mode is none of *known*."""
    if tls.mode not in known:
        raise ConfigError(f"tls.mode {tls.mode!r} is none of {', '.join(known)}")


@lru_cache(maxsize=64)
def _context(tls: TlsOptions, verified: bool, _stamps: tuple[int, ...]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca) if verified else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = tls.mode == "verify-full"
    context.verify_mode = ssl.CERT_REQUIRED if verified else ssl.CERT_NONE
    if tls.cert:
        context.load_cert_chain(tls.cert, tls.key)
    return context


def _unusable(error: OSError) -> ConfigError:
    return ConfigError(f"TLS files cannot be used: {error}")
