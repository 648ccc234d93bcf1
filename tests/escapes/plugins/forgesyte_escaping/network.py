"""Attempts on the network and on local services: sockets of every family, and what stands in for sockets."""

import os
import socket

from .attempting import Targets, attempt, unless_pretended, write

MSG_FASTOPEN, IPPROTO_MPTCP, AF_XDP = 0x20000000, 262, 44


def reached(family: int, kind: int, address: object, word: str, protocol: int = 0) -> None:
    """Connect and send a word that the harness finds at its listener."""
    with socket.socket(family, kind, protocol) as sock:
        sock.settimeout(5)
        sock.connect(address)
        sock.send(word.encode())


@attempt("secret")
def asks_the_http_api(at: Targets):
    """GET from the service's port on the loopback."""
    with socket.socket() as sock:
        sock.settimeout(5)
        sock.connect(("127.0.0.1", at.tcp))
        sock.send(b"GET /v1/jobs HTTP/1.1\r\n\r\n")
        return sock.recv(4096)


@attempt("arrived")
def connects_by_tcp_over_ipv6(at: Targets):
    """The same port on ::1."""
    reached(socket.AF_INET6, socket.SOCK_STREAM, ("::1", at.tcp6), "connects-by-tcp-over-ipv6")


@attempt("arrived")
def connects_by_multipath_tcp(at: Targets):
    """MPTCP is another protocol to older rules."""
    word = "connects-by-multipath-tcp"
    reached(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", at.tcp), word, IPPROTO_MPTCP)


@attempt("arrived")
def connects_by_fast_open(at: Targets):
    """sendto(MSG_FASTOPEN) connects without connect()."""
    with socket.socket() as sock:
        sock.sendto(b"connects-by-fast-open", MSG_FASTOPEN, ("127.0.0.1", at.tcp))


@attempt()
def listens_on_a_tcp_port(at: Targets):
    """bind() and listen()."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        return sock.getsockname()[1]


@attempt()
def listens_on_a_port_without_binding(at: Targets):
    """listen() alone takes any free port."""
    with socket.socket() as sock:
        sock.listen()
        return sock.getsockname()[1]


@attempt("arrived")
def sends_by_udp(at: Targets):
    """A datagram to a service."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"sends-by-udp", ("127.0.0.1", at.udp))


@attempt()
def listens_by_udp(at: Targets):
    """bind() of a datagram socket."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@attempt("arrived")
def connects_to_an_abstract_socket(at: Targets):
    """A service's socket without a path."""
    reached(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{at.abstract}", "connects-to-an-abstract-socket")


@attempt("arrived")
def sends_to_an_abstract_socket(at: Targets):
    """The same for datagrams."""
    reached(socket.AF_UNIX, socket.SOCK_DGRAM, f"\0{at.abstract}-datagrams", "sends-to-an-abstract-socket")


@attempt()
def takes_an_abstract_name(at: Targets):
    """bind() of a name that a service might want."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(f"\0{at.abstract}-taken")
        return "taken"


@attempt("arrived")
def connects_to_a_socket_file(at: Targets):
    """A service's socket that every user may use."""
    reached(socket.AF_UNIX, socket.SOCK_STREAM, at.socket_file, "connects-to-a-socket-file")


@attempt("arrived")
def sends_to_a_socket_file(at: Targets):
    """The same for datagrams."""
    reached(socket.AF_UNIX, socket.SOCK_DGRAM, at.datagram_file, "sends-to-a-socket-file")


@attempt("arrived")
def sends_from_a_pair_to_a_socket_file(at: Targets):
    """One end of a datagram socketpair, sent to a path."""
    ours, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.sendto(b"sends-from-a-pair-to-a-socket-file", at.datagram_file)


@attempt("arrived")
def connects_a_pair_to_an_abstract_socket(at: Targets):
    """One end of a datagram socketpair, connected to another socket."""
    ours, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.connect(f"\0{at.abstract}-datagrams")
    ours.send(b"connects-a-pair-to-an-abstract-socket")


@attempt()
def makes_a_socket_file(at: Targets):
    """bind() of a path in its scratch folder, for others to connect to."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("socket")
        return "bound"


@attempt("arrived")
def talks_to_the_system_bus(at: Targets):
    """D-Bus: the address in the environment of a desktop, as a socket file."""
    reached(socket.AF_UNIX, socket.SOCK_STREAM, at.system_bus, "talks-to-the-system-bus")


@attempt("arrived")
def writes_into_a_pipe_of_a_service(at: Targets):
    """A named pipe that every user may write."""
    write(at.pipe, b"writes-into-a-pipe-of-a-service", os.O_NONBLOCK)


@attempt()
def sends_descriptors(at: Targets):
    """SCM_RIGHTS: descriptors in flight count per uid, and those of the service run out."""
    ours, theirs = socket.socketpair()
    socket.send_fds(ours, [b"x"], [0])
    return unless_pretended(len(socket.recv_fds(theirs, 1, 1)[1]) == 1)


@attempt()
def makes_raw_packets(at: Targets):
    """SOCK_RAW."""
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).fileno()


@attempt()
def listens_to_all_packets(at: Targets):
    """AF_PACKET sees what all programs of the machine send."""
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)).fileno()


@attempt()
def asks_for_the_routes(at: Targets):
    """AF_NETLINK, NETLINK_ROUTE."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
        sock.bind((0, 0))
        return sock.getsockname()[0]


@attempt()
def asks_for_all_sockets(at: Targets):
    """AF_NETLINK, NETLINK_SOCK_DIAG: the sockets of the machine."""
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4).fileno()


@attempt()
def hears_of_new_devices(at: Targets):
    """AF_NETLINK, NETLINK_KOBJECT_UEVENT."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15) as sock:
        sock.bind((0, 1))
        return sock.getsockname()[0]


@attempt()
def talks_to_the_host(at: Targets):
    """AF_VSOCK: from a virtual machine to its host."""
    return socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).fileno()


@attempt()
def shares_memory_with_the_network_card(at: Targets):
    """AF_XDP."""
    return socket.socket(AF_XDP, socket.SOCK_RAW).fileno()


@attempt()
def uses_the_kernels_ciphers(at: Targets):
    """AF_ALG."""
    return socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).fileno()


@attempt()
def pings(at: Targets):
    """ICMP without SOCK_RAW."""
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).fileno()
