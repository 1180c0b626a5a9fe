import Glibc
import NIOCore
import VersionKitModel
import VersionKitProcesses
import VersionKitProxy
import VersionKitUpgrade

/// A proxy without `versiond`: its listener and its versions come from the command line.
///
/// For trying an adapter out, and for measuring it beside other proxies. There is no hand-over and no retirement.
struct StandaloneProxy {
    private static let usage = """
        An application proxy. versiond starts it without arguments; by hand:

          --listen ADDRESS:PORT | unix:PATH   accept clients there (may be repeated)
          --version N=ADDRESS:PORT            a version and where it serves clients (may be repeated)
          --threads N                         event loops; usually half as many as there are processors
          --busy-poll MICROSECONDS            how long an event loop looks for more before it sleeps; usually 100; 0: not
          --state DIR                         keep there what versions miss, so that it outlives this process
          --report                            print counters to standard output five times a second

        Example: two Redis servers behind one port
          redis-proxy --listen 127.0.0.1:6379 --version 1=127.0.0.1:7001 --version 2=127.0.0.1:7002

        """

    private var listeners: [ClientListener.Place] = []
    private var table = VersionTable(generation: 1)
    private var isReporting = false
    private(set) var threads = ProxyProcess.usualThreads
    /// How long event loops look before they sleep; `nil`: as the proxy has it anyway.
    private(set) var busyPollTime: Duration?
    /// The directory in which what versions miss is kept; `nil`: in memory.
    private(set) var state: String?

    /// What the arguments ask for, or `nil` if there are none. Ends the process if they make no sense.
    init?(_ arguments: [String]) {
        guard arguments.count > 1 else { return nil }
        var rest = arguments.dropFirst()
        while let option = rest.popFirst() {
            switch option {
            case "--report": isReporting = true
            case "--threads":
                guard let count = rest.popFirst().flatMap({ Int($0) }), 1...1024 ~= count else {
                    Self.complain("--threads takes a number from 1 to 1024")
                }
                threads = count
            case "--busy-poll":
                guard let time = rest.popFirst().flatMap({ Int($0) }), 0...1_000_000 ~= time else {
                    Self.complain("--busy-poll takes a number from 0 to 1000000")
                }
                busyPollTime = .microseconds(time)
            case "--state":
                guard let directory = rest.popFirst() else { Self.complain("--state takes a directory") }
                state = directory
            case "--listen":
                guard let place = rest.popFirst().flatMap(ClientListener.Place.init) else {
                    Self.complain("--listen takes ADDRESS:PORT or unix:PATH")
                }
                listeners.append(place)
            case "--version":
                guard let end = rest.popFirst().flatMap(MigratorProcess.end) else {
                    Self.complain("--version takes N=ADDRESS:PORT")
                }
                table.versions.insert(end.version)
                table.endpoints[end.version] = end.client
            case "--help", "-h":
                print(Self.usage, terminator: "")
                exit(0)
            default: Self.complain("there is no option '\(option)'")
            }
        }
        guard !listeners.isEmpty, !table.versions.isEmpty else {
            Self.complain("at least one --listen and one --version are needed")
        }
    }

    private static func complain(_ what: String) -> Never {
        _ = "\(what)\n\n\(usage)".withCString { write(STDERR_FILENO, $0, strlen($0)) }
        exit(64)
    }

    /// Serves until the process is ended.
    func run(_ server: ProxyServer) async throws -> Never {
        await server.update(table)
        for place in listeners { server.listen(descriptor: try ClientListener.open(place)) }
        while true {
            try await Task.sleep(for: ReportPace.busyInterval)
            guard isReporting else { continue }
            print("counters \(server.counters.fields)")
            fflush(nil)
        }
    }
}
