/// Where on the node the files of an environment are.
struct Place: Sendable {
    let base: String
    /// What the version writes, and where overlayfs works.
    var upper: String { "\(writable)/\(upperName)" }
    var upperName: String { "upper" }
    var work: String { writable + "/work" }
    /// Where the root file system is mounted.
    var root: String { base + "/root" }
    var log: String { "\(base)/\(logName)" }
    var logName: String { "log" }
    var agent: AgentAddress { .unix(path: socket) }
    var socket: String { base + "/agent" }
    var link: LinkRecord { LinkRecord(file: base + "/link") }
    var process: AgentProcess { AgentProcess(file: base + "/pid") }

    /// - Parameters:
    ///   - directory: the backend's, with one in it for each environment.
    ///   - name: the environment's.
    init(_ directory: String, _ name: String) { base = "\(directory)/\(name)" }
}
