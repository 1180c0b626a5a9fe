import Glibc
import NIOCore
import ONCRPC
import ONCRPCSockets
import Testing
import VersionKitProcesses

/// Goal: clients and servers that somebody else wrote understand ours.
///
/// Method: libtirpc, which nearly every Unix uses, as a program on the other side; it has the tests' program, too.
struct InteroperabilityTests {
    /// The tests' program with one procedure more, which libtirpc's side also has.
    private static let reverse = RPCProcedure<Blob, Blob>(Counting.program, 3, "REVERSE", isRepeatable: true)

    private struct Blob: XDRCodable, Equatable {
        var bytes: ByteBuffer

        init(_ bytes: ByteBuffer) { self.bytes = bytes }

        init(from reader: inout XDRReader) throws(XDRError) { bytes = try reader.readOpaque(max: 1 << 20) }

        func write(to writer: inout XDRWriter) throws(XDRError) { try writer.writeOpaque(bytes, max: 1 << 20) }
    }

    private static func service() -> RPCService {
        var service = Counter.service(Counter())
        service.on(reverse) { blob, _ in Blob(ByteBuffer(bytes: blob.bytes.readableBytesView.reversed())) }
        return service
    }

    /// What libtirpc's client says when all is right: names, its `clnt_stat`, results.
    private static func story(isUDP: Bool) -> String {
        """
        null 0
        add 0 5
        add 0 -2
        reverse 0 0 right
        reverse 5 0 right
        reverse 8000 0 right
        \(isUDP ? "" : "reverse 300001 0 right\n")garbage 11
        procedure 10
        add 0 0
        version 9 3 3
        program 8

        """
    }

    @Test("libtirpc's client understands our server over UDP")
    func clientUDP() async throws {
        try await withEndpoint(services: [Self.service()]) { server in
            let said = try await Peer.output(["call", "udp", String(server.address.port ?? 0)])
            #expect(said == Self.story(isUDP: true))
        }
    }

    @Test("libtirpc's client understands our server over TCP")
    func clientTCP() async throws {
        try await withServer(services: [Self.service()]) { server in
            guard case .tcp(_, let port) = server.address else { return }
            let said = try await Peer.output(["call", "tcp", String(port)])
            #expect(said == Self.story(isUDP: false))
        }
    }

    @Test("libtirpc's client understands our server over a Unix socket")
    func clientUnix() async throws {
        let socket = try TemporarySocket()
        try await withServer(.unix(path: socket.path), services: [Self.service()]) { _ in
            let said = try await Peer.output(["call", "unix", socket.path])
            #expect(said == Self.story(isUDP: false))
        }
    }

    @Test("our client understands libtirpc's server over UDP")
    func serverUDP() async throws {
        let peer = try await Peer.serving("udp")
        try await withEndpoint { endpoint in
            let address = try SocketAddress(ipAddress: "127.0.0.1", port: peer.port)
            try await use(endpoint.client(to: address), bytesMax: 8000)
        }
        await peer.end()
    }

    @Test("our client understands libtirpc's server over TCP")
    func serverTCP() async throws {
        let peer = try await Peer.serving("tcp")
        let client = try await RPCStreamClient.connect(to: .tcp(host: "127.0.0.1", port: peer.port))
        try await use(client, bytesMax: 300_001)
        let error = await #expect(throws: RPCError.self) {
            try await client.call(RPCProcedure<XDRVoid, Int64>(Counting.program, 1, "GARBAGE"))
        }
        #expect(error?.code == .refused(.garbageArguments))
        await client.close()
        await peer.end()
    }

    private func use(_ client: some RPCClient, bytesMax: Int) async throws {
        _ = try await client.call(Counting.program.null)
        let sums = [try await client.call(Counting.add, 5), try await client.call(Counting.add, -7)]
        #expect(sums == [5, -2])
        let total = try await client.call(Counting.total)
        #expect(total == -2)
        for count in [0, 5, bytesMax] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let back = try await client.call(Self.reverse, Blob(ByteBuffer(bytes: bytes)))
            #expect(back == Blob(ByteBuffer(bytes: bytes.reversed())))
        }
        var program = Counting.program
        let missing = RPCProcedure<XDRVoid, XDRVoid>(program, 99, "MISSING")
        var error = await #expect(throws: RPCError.self) { try await client.call(missing) }
        #expect(error?.code == .refused(.procedureUnavailable))
        program.version = 4
        error = await #expect(throws: RPCError.self) { try await client.call(program.null) }
        #expect(error?.code == .refused(.programMismatch(low: 3, high: 3)))
        program.number += 7
        error = await #expect(throws: RPCError.self) { try await client.call(program.null) }
        #expect(error?.code == .refused(.programUnavailable))
    }
}

/// libtirpc's side, as a program.
private struct Peer {
    /// Where its server is.
    let port: Int
    private let process: ChildProcess

    /// What it prints until it ends.
    static func output(_ arguments: [String]) async throws -> String {
        let result = try await Command.run(path(), arguments, limit: .seconds(60))
        #expect(result.exit == .code(0))
        return result.output
    }

    /// Its server.
    static func serving(_ transport: String) async throws -> Peer {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SystemError("make a pipe") }
        // A program started meanwhile must not keep this one's output open.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (output, input) = (ends[0], ends[1])
        var options = ChildProcess.Options()
        options.descriptors = [1: input]
        let spawned = Result { try ChildProcess.spawn(path(), ["serve", transport], options: options) }
        close(input)
        let process = try spawned.get()
        // The first line is all that it ever says.
        let line = await onThread("tirpc-peer") {
            defer { close(output) }
            var line: [UInt8] = []
            var byte: UInt8 = 0
            while read(output, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
            return String(decoding: line, as: UTF8.self)
        }
        return Peer(port: try #require(Int(line)), process: process)
    }

    /// Ends the server.
    func end() async {
        process.send(SIGKILL)
        _ = await process.wait()
    }

    /// Where the build put the program: beside the bundle of the tests.
    private static func path() throws -> String {
        let bundle = try #require(CommandLine.arguments.first { $0.contains(".xctest") })
        let folders = bundle.split(separator: "/", omittingEmptySubsequences: false).prefix { !$0.hasSuffix(".xctest") }
        return folders.joined(separator: "/") + "/tirpc-peer"
    }
}
