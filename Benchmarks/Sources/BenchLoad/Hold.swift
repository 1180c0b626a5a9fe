import BenchFigures
import CBench
import Glibc

/// Connections that have each had one answer, and then do nothing until this program is killed.
enum Hold {
    static func run(_ server: Target, connections: Int, addresses: Int) throws(LoadError) -> LoadResult {
        let buffer = Buffer(64)
        for index in 0..<connections {
            let descriptor: Int32
            do {
                descriptor = try server.connect(SOCK_STREAM, offset: UInt32(index % addresses))
                _ = bench_set_receive_timeout(descriptor, 10_000)
                try Ping.exchange(descriptor, buffer)
            } catch {
                throw LoadError("connection \(index + 1) of \(connections): \(error)")
            }
        }
        var result = LoadResult()
        result["connections"] = Double(connections)
        BenchLoad.say(result)
        while true { pause() }
    }
}
