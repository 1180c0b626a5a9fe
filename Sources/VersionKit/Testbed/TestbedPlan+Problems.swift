internal import VersionKitModel

extension TestbedPlan {
    /// A reason why a plan cannot be built.
    enum Problem: Hashable, CustomStringConvertible {
        case invalidSubnet(String)
        case tooManySegments(Int)
        case tooManyHosts(Int)
        case emptyName
        case duplicateName(String)
        case unknownSegment(String, wantedBy: String)
        case invalidAddress(String, host: String)
        case addressOutsideSubnet(String, host: String)
        case duplicateAddress(String, hosts: [String])
        case invalidLink(String)
        case loop(String, String)

        var description: String {
            switch self {
            case .invalidSubnet(let text): "the subnet \"\(text)\" is not like 10.99.0.0/16, or fd00:99::/64 for IPv6"
            case .tooManySegments(let count): "\(count) segments are more than \(segmentsMax)"
            case .tooManyHosts(let count): "\(count) hosts are more than \(hostsMax)"
            case .emptyName: "a host or segment has an empty name"
            case .duplicateName(let name): "the name \"\(name)\" is given twice"
            case .unknownSegment(let name, let user):
                "\(user) wants the segment \"\(name)\", which does not exist"
            case .invalidAddress(let text, let host):
                "\"\(text)\", the address of \(host), is not an IP address, or the second of its kind"
            case .addressOutsideSubnet(let text, let host):
                "\(text) of \(host) is no host's address in the subnet"
            case .duplicateAddress(let text, let hosts):
                "\(hosts.joined(separator: " and ")) all have \(text)"
            case .invalidLink(let place): "the link \(place) has a delay, rate or queue out of range"
            case .loop(let first, let second): "the link between \(first) and \(second) closes a loop"
            }
        }
    }

    /// Everything wrong with the plan.
    func problems() -> [Problem] {
        sizeProblems() + nameProblems() + addressProblems() + linkProblems() + loops()
    }

    private func sizeProblems() -> [Problem] {
        var problems: [Problem] = []
        if segments.count > Self.segmentsMax { problems.append(.tooManySegments(segments.count)) }
        if hosts.count > Self.hostsMax { problems.append(.tooManyHosts(hosts.count)) }
        return problems
    }

    private func nameProblems() -> [Problem] {
        var problems: [Problem] = []
        var names: Set<String> = []
        for name in segments + hosts.map(\.name) {
            if name.isEmpty { problems.append(.emptyName) }
            if !names.insert(name).inserted { problems.append(.duplicateName(name)) }
        }
        let known = Set(segments)
        for host in hosts where !known.contains(host.segment) {
            problems.append(.unknownSegment(host.segment, wantedBy: host.name))
        }
        for link in links {
            for end in [link.first, link.second] where !known.contains(end) {
                problems.append(.unknownSegment(end, wantedBy: "a link"))
            }
        }
        return problems
    }

    private func addressProblems() -> [Problem] {
        guard let subnet4 = Subnet(subnet, of: .v4) else { return [.invalidSubnet(subnet)] }
        guard let subnet6 = Subnet(subnet6, of: .v6) else { return [.invalidSubnet(subnet6)] }
        var problems: [Problem] = []
        var owners: [IPAddress: String] = [:]
        for host in hosts {
            if host.addresses.isEmpty { problems.append(.invalidAddress("", host: host.name)) }
            var families: Set<IPAddress.Family> = []
            for text in host.addresses {
                guard let address = IPAddress(text), families.insert(address.family).inserted else {
                    problems.append(.invalidAddress(text, host: host.name))
                    continue
                }
                if !(address.family == .v4 ? subnet4 : subnet6).containsHost(address) {
                    problems.append(.addressOutsideSubnet(text, host: host.name))
                }
                if let owner = owners.updateValue(host.name, forKey: address) {
                    problems.append(.duplicateAddress(text, hosts: [owner, host.name]))
                }
            }
        }
        return problems
    }

    private func linkProblems() -> [Problem] {
        let all =
            links.map { (place: "between \($0.first) and \($0.second)", link: $0.link) }
            + hosts.map { (place: "of \($0.name)", link: $0.link) }
        return all.filter { !$0.link.isValid }.map { .invalidLink($0.place) }
    }

    // A frame sent to everybody would go round a loop for ever. Union and find: a link between two segments
    // that already hang together closes one.
    private func loops() -> [Problem] {
        var parents: [String: String] = [:]
        func root(of name: String) -> String {
            var name = name
            while let parent = parents[name] { name = parent }
            return name
        }
        var problems: [Problem] = []
        for link in links {
            let (first, second) = (root(of: link.first), root(of: link.second))
            if first == second {
                problems.append(.loop(link.first, link.second))
            } else {
                parents[first] = second
            }
        }
        return problems
    }
}

extension Link {
    // Bounds within which the queue's arithmetic cannot overflow; all are beyond anything useful.
    var isValid: Bool {
        (.zero...Duration.seconds(60)).contains(delay)
            && rate.map { (1000...1_000_000_000_000).contains($0.bitsPerSecond) } ?? true
            && (1...(1 << 30)).contains(queueBytesMax)
    }
}
