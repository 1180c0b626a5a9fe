/// The `config.json` of a container, as far as environments need it (OCI runtime specification 1.0).
struct OCIConfiguration: Codable, Equatable {
    var ociVersion = "1.0.2"
    var hostname: String
    var root: Root
    var process: Process
    var mounts: [Mount]
    var linux: Linux

    struct Root: Codable, Equatable {
        var path: String
        var readonly: Bool
    }

    struct Process: Codable, Equatable {
        var terminal = false
        var user = User()
        var args: [String]
        var env: [String]
        var cwd = "/"
        var noNewPrivileges = true
        var capabilities: Capabilities
    }

    struct User: Codable, Equatable {
        var uid = 0
        var gid = 0
    }

    struct Capabilities: Codable, Equatable {
        var bounding: [String]
        var effective: [String]
        var permitted: [String]
        var inheritable: [String] = []
        var ambient: [String] = []
    }

    struct Mount: Codable, Equatable {
        var destination: String
        var type: String
        var source: String
        var options: [String]
    }

    struct Linux: Codable, Equatable {
        var namespaces: [Namespace]
        var uidMappings: [IDMapping]
        var gidMappings: [IDMapping]
        var cgroupsPath: String?
        var resources: Resources
        var seccomp: Seccomp
        var maskedPaths: [String]
        var readonlyPaths: [String]
    }

    struct Namespace: Codable, Equatable {
        var type: String
    }

    struct IDMapping: Codable, Equatable {
        var containerID: UInt32
        var hostID: UInt32
        var size: UInt32
    }

    struct Resources: Codable, Equatable {
        var devices: [DeviceRule]?
        var memory: Memory?
        var cpu: Processors?
        var pids: Tasks?
    }

    struct DeviceRule: Codable, Equatable {
        var allow: Bool
        var access: String
    }

    struct Memory: Codable, Equatable {
        /// In bytes.
        var limit: UInt64
    }

    struct Processors: Codable, Equatable {
        /// Microseconds of processor time in each period of so many microseconds.
        var quota: Int
        var period: Int
    }

    struct Tasks: Codable, Equatable {
        var limit: Int
    }

    struct Seccomp: Codable, Equatable {
        var defaultAction: String
        var architectures: [String]
        var syscalls: [Rule]

        struct Rule: Codable, Equatable {
            var names: [String]
            var action: String
            var errnoRet: Int32?
            var args: [Argument]?
        }

        struct Argument: Codable, Equatable {
            var index: Int
            var value: UInt64
            var valueTwo: UInt64
            var op: String
        }
    }
}
