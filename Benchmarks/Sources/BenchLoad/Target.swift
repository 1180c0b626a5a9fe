import CBench
import Glibc

/// An address and a port, `10.0.0.1:7000`.
struct Target {
    var address: UInt32
    var port: UInt16

    init?(_ text: String) {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1]) else { return nil }
        let bytes = parts[0].split(separator: ".").compactMap { UInt8($0) }
        guard bytes.count == 4 else { return nil }
        address = bytes.reduce(0) { $0 << 8 | UInt32($1) }
        self.port = port
    }

    /// A socket that is connected to it.
    func connect(_ type: __socket_type, offset: UInt32 = 0) throws(LoadError) -> Int32 {
        let descriptor = bench_socket(Int32(type.rawValue))
        guard descriptor >= 0 else { throw .system("socket") }
        guard bench_connect(descriptor, address + offset, port) == 0 else {
            let error = LoadError.system("connect")
            close(descriptor)
            throw error
        }
        return descriptor
    }
}

/// Memory for what is sent and received.
struct Buffer: ~Copyable {
    let bytes: UnsafeMutableRawPointer
    let count: Int

    init(_ count: Int, filledWith byte: UInt8 = UInt8(ascii: "E")) {
        bytes = .allocate(byteCount: count, alignment: 16)
        bytes.initializeMemory(as: UInt8.self, repeating: byte, count: count)
        self.count = count
    }

    deinit { bytes.deallocate() }
}

enum Clock {
    static func nanoseconds(_ seconds: Double) -> UInt64 { UInt64(seconds * 1e9) }

    static func seconds(since start: UInt64) -> Double { Double(bench_now() - start) / 1e9 }
}
