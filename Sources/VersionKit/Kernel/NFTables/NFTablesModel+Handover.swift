import VersionKitModel

extension NFTablesModel {
    /// What another one has to know to go on. Times are what is left, in seconds.
    struct Handover: Sendable, Hashable, Codable {
        /// A port, and for how long the kernel knows it.
        struct Known: Sendable, Hashable, Codable {
            var port: UInt16
            var remaining: Int
        }

        var ports: Set<DirectPort>
        var routes: [DirectRoute: Known]
        var names: [DirectRoute: Known]
    }

    /// Everything, for another one.
    func handOver(now: ContinuousClock.Instant) -> Handover {
        let remaining = { (known: Known) in
            Handover.Known(port: known.port, remaining: Int((known.end - now).components.seconds))
        }
        return Handover(ports: ports, routes: routes.mapValues(remaining), names: names.mapValues(remaining))
    }

    /// Puts everything into a table that was made anew, in few statements; what has ended stays away.
    func refill(now: ContinuousClock.Instant) -> String {
        var elements = ports.flatMap { self.elements(of: $0) }
        for (route, known) in routes where known.end > now {
            let both = Self.elements(of: route, to: known.port, timeout: Self.seconds(known.end - now))
            elements += [both.fast, both.key]
        }
        for (name, known) in names where known.end > now {
            elements.append(Self.name(name, is: known.port, timeout: Self.seconds(known.end - now)))
        }
        let collections = Dictionary(grouping: elements) { $0.collection }
        return collections.sorted { $0.key < $1.key }.map { collection, elements in
            let all = Element(collection: collection, key: elements.map(\.text).sorted().joined(separator: ", "))
            return statements("add", [all])
        }.joined()
    }

    private static func seconds(_ duration: Duration) -> Int { max(1, Int(duration.components.seconds)) }
}
