import CBench
import Glibc

/// Echoes datagrams, on a thread of its own that sleeps in the kernel until one comes.
struct DatagramServer {
    private let socket: Int32

    init(port: UInt16) throws(LoadError) {
        socket = bench_socket(Int32(SOCK_DGRAM.rawValue))
        guard socket >= 0, bench_bind(socket, 0, port) == 0 else { throw .system("bind UDP port \(port)") }
    }

    func start() throws(LoadError) {
        var thread = pthread_t()
        let argument = UnsafeMutableRawPointer(bitPattern: Int(socket))
        let code = pthread_create(
            &thread, nil,
            { argument in
                DatagramServer.echo(Int32(Int(bitPattern: argument)))
                return nil
            }, argument)
        guard code == 0 else { throw LoadError("pthread_create: \(String(cString: strerror(code)))") }
        pthread_detach(thread)
    }

    private static func echo(_ socket: Int32) {
        let buffer = Buffer(65_536)
        var source = bench_endpoint()
        while true {
            let count = bench_receive_from(socket, buffer.bytes, buffer.count, &source)
            // An error is an earlier answer's that could not be delivered: the load counts it as lost.
            if count >= 0 { _ = bench_send_to(socket, buffer.bytes, count, source) }
        }
    }
}
