import Dispatch
import Glibc
public import IrisLogCore
public import NIOCore

/// What both versions' programs do around their protocols.
public struct ServerSetup: Sendable {
    /// The configuration file.
    public let configuration: Configuration
    /// The hierarchy file.
    public let hierarchy: Hierarchy
    /// The opened database.
    public let database: Database

    /// Reads the configuration directory and opens the database.
    public init(directory: String) throws(IrisLogError) {
        configuration = try Configuration(
            text: TextFile.read(directory + "/irislog.conf", limit: Limits.configurationBytes))
        hierarchy = try Hierarchy(
            xml: TextFile.read(directory + "/hierarchy.xml", limit: Limits.documentBytes))
        database = try Database(
            directory: configuration.dataDirectory, hierarchy: hierarchy, me: configuration.me)
    }
}

/// A protocol's two services: what a connection of a client and of a server is given to.
public protocol ServerVersion: Sendable {
    /// Serves one client until it leaves.
    func converseWithClient(_ inbound: Listener.Inbound, _ outbound: Listener.Outbound) async throws
    /// Serves one other server until it leaves.
    func converseWithPeer(_ inbound: Listener.Inbound, _ outbound: Listener.Outbound) async throws
}

/// A running server: two bound ports and the version that answers on them.
public struct RunningServer: Sendable {
    /// Where clients connect.
    public let clients: Listener
    /// Where other servers connect.
    public let peers: Listener

    /// Binds both ports.
    public init(host: String, clientPort: Int, peerPort: Int) async throws {
        clients = try await Listener.bind(
            host: host, port: clientPort, idle: .seconds(Int64(Limits.clientIdleSeconds)))
        do {
            peers = try await Listener.bind(
                host: host, port: peerPort, idle: .seconds(Int64(Limits.peerIdleSeconds)))
        } catch {
            await clients.close()
            throw error
        }
    }

    /// Serves until the task is cancelled.
    public func serve(_ version: some ServerVersion) async {
        await withTaskGroup { group in
            group.addTask {
                try? await clients.serve(limit: Limits.connections) { try await version.converseWithClient($0, $1) }
            }
            group.addTask {
                try? await peers.serve(limit: Limits.connections) { try await version.converseWithPeer($0, $1) }
            }
            // Half a server is worse than none: when one port ends, so does the other.
            await group.next()
            group.cancelAll()
        }
    }
}

/// The main function of both versions.
public enum ServerProgram {
    /// Runs `name CONFIG_DIRECTORY` until SIGTERM; returns the exit code.
    public static func run(
        name: String, arguments: [String], _ version: (ServerSetup) -> some ServerVersion
    ) async -> Int32 {
        guard arguments.count == 2 else {
            complain("usage: \(name) CONFIG_DIRECTORY")
            return 64
        }
        raiseFileLimit()
        // Writing to a connection that is gone is an error of that connection only.
        signal(SIGPIPE, SIG_IGN)
        // Before anything can be waited for: a signal during the start also ends the program cleanly.
        let terminated = termination()
        do {
            let setup = try ServerSetup(directory: arguments[1])
            let configuration = setup.configuration
            let server = try await RunningServer(
                host: configuration.listen, clientPort: configuration.clientPort, peerPort: configuration.peerPort)
            let service = version(setup)
            print("\(name) ready client=\(server.clients.port) peer=\(server.peers.port)")
            fflush(nil)
            let wasTerminated = await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    await server.serve(service)
                    return false
                }
                group.addTask {
                    for await _ in terminated { return true }
                    return false
                }
                let first = await group.next() ?? false
                group.cancelAll()
                return first
            }
            return wasTerminated ? 0 : 1
        } catch {
            complain("\(name): \(error)")
            return 1
        }
    }

    /// The usual soft limit is less than two full listeners and their requests to others need.
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    private static func termination() -> AsyncStream<Void> {
        signal(SIGTERM, SIG_IGN)
        return AsyncStream { continuation in
            // Dispatch's objects may be used from any thread; its types do not say so.
            nonisolated(unsafe) let source = DispatchSource.makeSignalSource(signal: SIGTERM, queue: .global())
            source.setEventHandler { continuation.yield() }
            // The stream keeps the source alive.
            continuation.onTermination = { _ in source.cancel() }
            source.resume()
        }
    }

    private static func complain(_ text: String) {
        _ = (text + "\n").withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
}
