import BenchFigures
import CBench
import Glibc

/// Load generator and echo server for measurements of the version router. One thread each, raw sockets: what is measured
/// is the way between them.
///
///     bench-load serve tcp=7000 udp=7000 header=0 cpu=1
///     bench-load ping server=10.0.0.2:7000 bytes=64 connections=50 seconds=0.5 cpu=0
///
/// ``LoadCommand`` has all words. A client prints one line of JSON, in microseconds, counts, and rates per second.
@main
enum BenchLoad {
    static func main() {
        guard let command = LoadCommand(arguments: CommandLine.arguments.dropFirst()) else {
            exit("wrong usage: bench-load serve|ping|bulk|connect|datagrams|sequence|hold KEY=VALUE...", EX_USAGE)
        }
        signal(SIGPIPE, SIG_IGN)
        if let cpu = command.cpu, bench_pin(Int32(cpu)) != 0 { exit("there is no CPU \(cpu)", EX_USAGE) }
        do {
            try run(command)
        } catch {
            exit(error.description, 1)
        }
    }

    private static func run(_ command: LoadCommand) throws(LoadError) {
        if case .serve(let tcp, let udp, let behindHeader) = command.order {
            for port in udp { try DatagramServer(port: port).start() }
            var server = try StreamServer(ports: tcp, behindHeader: behindHeader)
            try server.run()
        }
        guard let server = Target(command.server) else { throw LoadError("server=\(command.server) is no address") }
        let result =
            switch command.order {
            case .serve: LoadResult()
            case .ping(let bytes, let connections, let seconds):
                try connections == 1
                    ? Ping.alone(server, bytes: bytes, seconds: seconds)
                    : Ping.together(server, bytes: bytes, connections: connections, seconds: seconds)
            case .bulk(let seconds): try Bulk.run(server, seconds: seconds)
            case .connect(let count): try Connects.run(server, count: count)
            case .datagrams(let bytes, let window, let seconds):
                try Datagrams.run(server, bytes: bytes, window: window, seconds: seconds)
            case .sequence(let bytes, let perSecond, let seconds):
                try Sequence.run(server, bytes: bytes, perSecond: perSecond, seconds: seconds)
            case .hold(let connections, let addresses):
                try Hold.run(server, connections: connections, addresses: addresses)
            }
        say(result)
    }

    /// One line, at once.
    static func say(_ result: LoadResult) {
        print(result.json)
        fflush(nil)
    }

    private static func exit(_ reason: String, _ code: Int32) -> Never {
        let line = "bench-load: \(reason)\n"
        write(2, line, line.utf8.count)
        Glibc.exit(code)
    }
}

/// Why a load could not go on.
struct LoadError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// A system call that just failed.
    static func system(_ operation: String) -> LoadError {
        LoadError("\(operation): \(String(cString: strerror(errno)))")
    }
}
