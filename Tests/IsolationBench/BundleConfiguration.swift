import Foundation
import VersionKitIsolation

/// A container's `config.json`, of which only what is about to change is understood.
struct BundleConfiguration {
    private typealias Object = [String: Any]

    /// One with little in it, all of which can be kept by CRIU.
    static var simple: Data {
        get throws {
            let mounts: [Object] = [
                ["destination": "/proc", "type": "proc", "source": "proc"],
                [
                    "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"],
                ],
            ]
            let user: Object = ["uid": 0, "gid": 0]
            let process: Object = ["cwd": "/", "user": user, "noNewPrivileges": true]
            let kinds = ["pid", "ipc", "uts", "mount", "cgroup", "network"]
            let linux: Object = ["namespaces": kinds.map { ["type": $0] }]
            let all: Object = [
                "ociVersion": "1.0.2", "hostname": "bench", "process": process, "mounts": mounts, "linux": linux,
            ]
            return try JSONSerialization.data(withJSONObject: all)
        }
    }

    private var all: Object

    init(_ data: Data) throws {
        guard let all = try JSONSerialization.jsonObject(with: data) as? Object else {
            throw BenchFailure("the configuration of a container is no object")
        }
        self.all = all
    }

    /// The node's user who is root inside.
    var owner: Int {
        let mappings = (all["linux"] as? Object)?["uidMappings"] as? [Object] ?? []
        return mappings.first { $0["containerID"] as? Int == 0 }?["hostID"] as? Int ?? 0
    }

    /// Makes it that of another container, in which the application is all that runs.
    mutating func adapt(
        root: String, command: [String], network: String, cgroup: String, _ specification: EnvironmentSpecification
    ) {
        all["root"] = ["path": root, "readonly": false] as Object
        var process = all["process"] as? Object ?? [:]
        process["args"] = command
        all["process"] = process
        var linux = all["linux"] as? Object ?? [:]
        linux["cgroupsPath"] = cgroup
        linux["namespaces"] = (linux["namespaces"] as? [Object] ?? []).map { namespace -> Object in
            namespace["type"] as? String == "network" ? ["type": "network", "path": network] : namespace
        }
        all["linux"] = linux
        // What the environment had mounted elsewhere before.
        let tools = [
            "/run/versionkit": specification.runDirectory,
            EnvironmentTools.versionctlInside: specification.tools.versionctl,
            "/run/tools/agent": specification.tools.agent,
        ]
        all["mounts"] = (all["mounts"] as? [Object] ?? []).compactMap { mount -> Object? in
            guard mount["type"] as? String == "bind" else { return mount }
            // The rest is not needed here.
            guard let source = tools[mount["destination"] as? String ?? ""] else { return nil }
            var mount = mount
            mount["source"] = source
            return mount
        }
    }

    func data() throws -> Data {
        try JSONSerialization.data(withJSONObject: all, options: [.sortedKeys, .withoutEscapingSlashes])
    }
}
