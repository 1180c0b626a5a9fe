import BenchPrograms
import Foundation

/// Where the programs are.
struct RouterTools {
    /// versiond and what belongs to it.
    var programs: String
    var load: String
    var nsenter: String
    var haproxy: String?
    var nginx: String?
    var streamModule: String?
    var envoy: String?

    /// Peers may be missing: they are then told to be.
    ///
    /// - Throws: ``BenchError`` that names what of our own is missing.
    init(programs: String, load: String, envoy: String) throws {
        func find(_ name: String) -> String? {
            // The folders of nginx and HAProxy are not on everybody's PATH.
            let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
            let folders = path.split(separator: ":").map(String.init) + ["/usr/local/sbin", "/usr/sbin", "/sbin"]
            return folders.map { "\($0)/\(name)" }.first(where: File.isProgram)
        }
        self.programs = programs
        self.load = load
        var missing = ["versiond", "versionctl", "versionkit-environment"].map { "\(programs)/\($0)" } + [load]
        missing.removeAll(where: File.isProgram)
        if find("ip") == nil { missing.append("ip") }
        if find("nft") == nil { missing.append("nft") }
        nsenter = find("nsenter") ?? ""
        if nsenter.isEmpty { missing.append("nsenter") }
        guard missing.isEmpty else {
            throw BenchError(
                "missing: \(missing.joined(separator: ", ")). scripts/bench-router installs and builds these.")
        }
        haproxy = find("haproxy")
        nginx = find("nginx")
        streamModule = ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/nginx/modules"]
            .map { "\($0)/ngx_stream_module.so" }.first { FileManager.default.fileExists(atPath: $0) }
        self.envoy = File.isProgram(envoy) ? envoy : nil
    }
}
