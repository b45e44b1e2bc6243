"""What a worker may not do, enforced by the kernel (Linux): open sockets, run programs, grow without limit."""

import ctypes
import platform
import resource
import signal
import struct

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER = 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001  # SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO with EPERM
_LOAD, _EQUAL, _ATLEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # BPF opcodes: word at an offset, two jumps, verdict
_X32 = 0x40000000
# socket, connect, execve, execveat, ptrace, io_uring_setup, by the number of the architecture (linux/audit.h).
_FORBIDDEN = {
    "x86_64": (0xC000003E, (41, 42, 59, 322, 101, 425)),
    "aarch64": (0xC00000B7, (198, 203, 221, 281, 117, 425)),
}


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def confine(memory_bytes: int, open_files: int) -> None:
    """Limit address space, forbid core files, sockets and programs; for good, and for all threads started from now on.

    On an architecture without a filter the number of open files is limited instead, so that no socket can be opened.
    Raises OSError when the kernel refuses the filter.
    """
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    known = _FORBIDDEN.get(platform.machine())
    if known is None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))
        return
    program = _program(*known)
    buffer = ctypes.create_string_buffer(program, len(program))
    filter_ = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filter_, 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel refuses the seccomp filter")


def _program(architecture: int, forbidden: tuple[int, ...]) -> bytes:
    """Return the BPF program: another architecture or a forbidden call is refused with EPERM, all else allowed."""
    checks = [(_ATLEAST, _X32), *((_EQUAL, number) for number in forbidden)]
    lines = [(_LOAD, 0, 0, 4), (_EQUAL, 0, len(checks) + 2, architecture), (_LOAD, 0, 0, 0)]
    lines += [(opcode, len(checks) - index, 0, number) for index, (opcode, number) in enumerate(checks)]
    lines += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    return b"".join(struct.pack("HBBI", *line) for line in lines)
