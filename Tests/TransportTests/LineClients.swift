import VersionKitProcesses

@testable import VersionKitTransport

/// A client of a server, which listens to it at a port of its own.
func connect(to server: ProxyServer) throws -> LineConnection {
    let (listener, endpoint) = try Loopback.listen()
    server.listen(descriptor: listener)
    return try LineConnection(to: endpoint)
}

/// Asks, and waits for the answer on a thread of its own.
func ask(_ client: LineConnection, _ request: String) async -> String? {
    await onThread("client") { client.ask(request) }
}
