/// What one request takes of processors wherever it goes, in seconds: the part that no proxy can save.
package struct RequestCost: Sendable, Hashable {
    /// The load generator's.
    package var client: Double
    /// That of somebody who reads the request and answers it, and does nothing else: less than any proxy's part, which
    /// has to pass it on as well.
    package var responder: Double
    /// One server's.
    package var server: Double

    package init(client: Double, responder: Double, server: Double) {
        self.client = client
        self.responder = responder
        self.server = server
    }

    /// Requests a second that a proxy for so many servers could reach on so many processors, if none of them was ever
    /// idle. Zero if nothing was measured.
    package func rateMax(processors: Int, servers: Int) -> Double {
        let all = client + responder + Double(servers) * server
        return all > 0 ? Double(processors) / all : 0
    }
}
