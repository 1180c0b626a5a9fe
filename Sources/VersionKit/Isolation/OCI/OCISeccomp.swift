import Glibc

extension OCIConfiguration.Seccomp {
    /// What a version has no business with: the kernel itself, its clocks, modules, mounts and namespaces. All of these
    /// want privileges that it does not have anyhow; a fault in the kernel's checks is not to be reached.
    private static let refused = [
        "acct", "add_key", "adjtimex", "bpf", "clock_adjtime", "clock_settime", "delete_module", "finit_module",
        "fsconfig",
        "fsmount", "fsopen", "fspick", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm",
        "iopl",
        "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mount", "mount_setattr", "move_mount",
        "move_pages", "name_to_handle_at", "nfsservctl", "open_by_handle_at", "open_tree", "perf_event_open",
        "pivot_root",
        "process_vm_readv", "process_vm_writev", "quotactl", "quotactl_fd", "reboot", "request_key", "setns",
        "settimeofday", "swapoff", "swapon", "sysfs", "syslog", "umount", "umount2", "unshare", "uselib", "userfaultfd",
        "vhangup", "vm86", "vm86old",
    ]
    /// CLONE_NEW*: namespaces, but for that of time, whose bit means something else to clone(2).
    private static let namespaceFlags: [UInt64] = [
        0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
    ]

    /// The profile of every environment.
    static let environment = OCIConfiguration.Seccomp(
        defaultAction: "SCMP_ACT_ALLOW", architectures: architectures,
        syscalls: [
            Rule(names: refused, action: "SCMP_ACT_ERRNO", errnoRet: EPERM, args: nil),
            // Its flags cannot be looked at: the C library then takes clone(2).
            Rule(names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS, args: nil),
        ]
            + namespaceFlags.map { flag in
                Rule(
                    names: ["clone"], action: "SCMP_ACT_ERRNO", errnoRet: EPERM,
                    args: [Argument(index: 0, value: flag, valueTwo: flag, op: "SCMP_CMP_MASKED_EQ")])
            })

    #if arch(x86_64)
        private static let architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
    #else
        private static let architectures = ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
    #endif
}
