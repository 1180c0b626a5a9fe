import Glibc
package import VersionKitModel

/// The redis-server of one version, to be treated badly.
///
/// All processes of the sandbox are visible to the demonstration; those of one environment are told apart by the
/// addresses of their network.
package struct ServerProcess: Sendable, Equatable {
    package let id: Int32

    /// The server that runs in the network with this address, if there is one now.
    package static func find(at address: IPAddress) -> ServerProcess? {
        guard let directory = opendir("/proc") else { return nil }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let id = Int32(name), contents("/proc/\(id)/comm") == "redis-server\n",
                contents("/proc/\(id)/net/fib_trie").contains("|-- \(address)\n")
            else { continue }
            return ServerProcess(id: id)
        }
        return nil
    }

    /// Ends it as a crash would.
    package func kill() { Glibc.kill(id, SIGKILL) }

    /// Has it hang.
    package func pause() { Glibc.kill(id, SIGSTOP) }

    /// Lets it go on after a pause.
    package func resume() { Glibc.kill(id, SIGCONT) }

    private static func contents(_ path: String) -> String {
        guard let file = fopen(path, "re") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 32 << 10)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
