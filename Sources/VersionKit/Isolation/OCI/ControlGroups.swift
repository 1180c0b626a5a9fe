import Glibc

/// What an OCI runtime may do with control groups here. The group of one environment is a ``Cgroup``.
struct ControlGroups: Equatable {
    /// Which of them there are.
    enum Version: Equatable {
        case v1, v2
        /// Version 1, and version 2 beside it.
        case hybrid
    }

    private static let mount = "/sys/fs/cgroup"

    /// `nil`: there are none, or they are not this process's to change.
    let version: Version?

    /// - Parameters:
    ///   - exists: whether there is a file.
    ///   - isWritable: whether directories can be made in a directory.
    init(exists: (String) -> Bool, isWritable: (String) -> Bool) {
        if exists(Self.mount + "/cgroup.controllers") {
            version = isWritable(Self.mount) ? .v2 : nil
        } else {
            let isOurs = isWritable(Self.mount + "/memory") && isWritable(Self.mount + "/pids")
            version = isOurs ? exists(Self.mount + "/unified/cgroup.controllers") ? .hybrid : .v1 : nil
        }
    }

    /// Those of this machine.
    static func current() -> ControlGroups {
        ControlGroups(exists: { access($0, F_OK) == 0 }, isWritable: { access($0, W_OK) == 0 })
    }
}
