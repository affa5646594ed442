"""The check of where a name leads, between looking it up and connecting: what is connected to is what was checked."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver, IReactorPluggableNameResolver, IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped]

from imagecrawl.network.addresses import NOT_ON_THE_INTERNET, is_public

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.interfaces import IAddress, IHostResolution


@implementer(IReactorPluggableNameResolver)
class PublicReactor:
    """A reactor for one request, whose names lead to public addresses only; for the rest it is ``reactor``.

    Twisted's HostnameEndpoint connects to exactly the addresses that the ``nameResolver`` of its reactor tells it,
    literals included, and looks up nothing again.

    ``refused`` says what a name led to and may not, in the order of the answer.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self.refused: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    @property
    def nameResolver(self) -> PublicResolver:  # noqa: N802
        return PublicResolver(self._reactor.nameResolver, self.refused)

    def why_refused(self, host: str) -> str | None:
        """Why nothing was found under a name, if that is because of where it leads."""
        if not self.refused:
            return None
        return f"{host} leads to {', '.join(self.refused)}: {NOT_ON_THE_INTERNET}"


@implementer(IHostnameResolver)
class PublicResolver:
    """Leaves out the addresses that are not public, and puts them on the list ``refused``."""

    def __init__(self, resolver: Any, refused: list[str]) -> None:
        self._resolver = resolver
        self._refused = refused

    def resolveHostName(  # noqa: N802
        self,
        resolutionReceiver: IResolutionReceiver,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type[IAddress]] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> IHostResolution:
        receiver = _PublicReceiver(resolutionReceiver, self._refused)
        found: IHostResolution = self._resolver.resolveHostName(
            receiver, hostName, portNumber, addressTypes, transportSemantics
        )
        return found


@implementer(IResolutionReceiver)
class _PublicReceiver:
    def __init__(self, receiver: Any, refused: list[str]) -> None:
        self._receiver = receiver
        self._refused = refused

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:  # noqa: N802, N803
        self._receiver.resolutionBegan(resolutionInProgress)

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802
        if isinstance(address, IPv4Address | IPv6Address) and is_public(ipaddress.ip_address(address.host)):
            self._receiver.addressResolved(address)
        else:
            self._refused.append(str(getattr(address, "host", address)))

    def resolutionComplete(self) -> None:  # noqa: N802
        self._receiver.resolutionComplete()
