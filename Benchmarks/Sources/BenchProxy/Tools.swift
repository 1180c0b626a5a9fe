import BenchPrograms
import Foundation

/// Where the programs are.
struct Tools {
    var redisServer = ""
    var redisBenchmark = ""
    var haproxy = ""
    var nginx = ""
    var streamModule = ""
    var envoy = ""
    var proxy = ""

    /// None: for what needs no programs.
    init() {}

    /// - Throws: ``BenchError`` that names what is missing.
    init(proxy: String, envoy: String) throws {
        self.proxy = proxy
        self.envoy = envoy
        var missing: [String] = []
        func find(_ name: String) -> String {
            // The folders of nginx and HAProxy are not on everybody's PATH.
            let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
            let folders = path.split(separator: ":").map(String.init) + ["/usr/local/sbin", "/usr/sbin", "/sbin"]
            if let found = folders.map({ "\($0)/\(name)" }).first(where: File.isProgram) { return found }
            missing.append(name)
            return ""
        }
        redisServer = find("redis-server")
        redisBenchmark = find("redis-benchmark")
        haproxy = find("haproxy")
        nginx = find("nginx")
        let modules = ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/nginx/modules"]
            .map { "\($0)/ngx_stream_module.so" }
        if let module = modules.first(where: { FileManager.default.fileExists(atPath: $0) }) {
            streamModule = module
        } else {
            missing.append("ngx_stream_module.so")
        }
        missing += [envoy, proxy].filter { !File.isProgram($0) }
        guard missing.isEmpty else {
            throw BenchError(
                "missing: \(missing.joined(separator: ", ")). scripts/bench-proxy installs and builds these.")
        }
    }
}
