import VersionKitModel

/// Reads one JSON object of a description key by key; every complaint names the file and the key.
struct DescriptionReader {
    private let file: String
    /// Where the object stands in the file: empty for the whole, `ports` for the value of that key.
    private let place: String
    private let members: [String: JSONValue]

    init(_ value: JSONValue, file: String, place: String = "", keys: [String]) throws(ReleaseError) {
        self.file = file
        self.place = place
        guard case .object(let members) = value else {
            throw Self.mistake(
                file, "\(place.isEmpty ? "the file" : "\"\(place)\"") is \(value.kindInWords)",
                remedy: "write an object, { ... }")
        }
        self.members = members
        if let unknown = members.keys.filter({ !keys.contains($0) }).min() {
            throw Self.mistake(
                file, "\"\(Self.join(place, String(unknown.prefix(60))))\" is not a key that is known here",
                remedy: "known are " + keys.joined(separator: ", "))
        }
    }

    static func mistake(_ file: String, _ message: String, remedy: String) -> ReleaseError {
        ReleaseError(.badDescription, "\(file): \(message)", side: .publisher, remedy: remedy)
    }

    private static func join(_ place: String, _ key: String) -> String { place.isEmpty ? key : "\(place).\(key)" }

    private func wrong(_ key: String, _ value: JSONValue, wanted: String) -> ReleaseError {
        Self.mistake(
            file, "\"\(Self.join(place, key))\" is \(value.kindInWords)", remedy: "it should be \(wanted)")
    }

    /// The value of a key; absent and `null` are the same.
    private func value(_ key: String) -> JSONValue? {
        members[key] == .null ? nil : members[key]
    }

    /// The result of an optional reading, or an error that names the missing key.
    private func required<Value>(_ key: String, _ value: Value?, wanted: String) throws(ReleaseError) -> Value {
        guard let value else {
            throw Self.mistake(file, "\"\(Self.join(place, key))\" is missing", remedy: "it should be \(wanted)")
        }
        return value
    }

    func string(_ key: String, _ wanted: String) throws(ReleaseError) -> String {
        try required(key, optionalString(key, wanted), wanted: wanted)
    }

    func optionalString(_ key: String, _ wanted: String) throws(ReleaseError) -> String? {
        switch value(key) {
        case nil: return nil
        case .string(let text): return text
        case let other?: throw wrong(key, other, wanted: wanted)
        }
    }

    func integer(_ key: String, _ wanted: String, in bounds: ClosedRange<Int>) throws(ReleaseError) -> Int {
        try required(key, optionalInteger(key, wanted, in: bounds), wanted: wanted)
    }

    func optionalInteger(
        _ key: String, _ wanted: String, in bounds: ClosedRange<Int>
    ) throws(ReleaseError) -> Int? {
        switch value(key) {
        case nil: return nil
        case .integer(let number) where bounds.contains(number): return number
        case let other?: throw wrong(key, other, wanted: wanted)
        }
    }

    func optionalBool(_ key: String) throws(ReleaseError) -> Bool? {
        switch value(key) {
        case nil: return nil
        case .bool(let flag): return flag
        case let other?: throw wrong(key, other, wanted: "true or false")
        }
    }

    func optionalNumber(_ key: String, _ wanted: String) throws(ReleaseError) -> Double? {
        switch value(key) {
        case nil: return nil
        case .integer(let number): return Double(number)
        case .number(let number): return number
        case let other?: throw wrong(key, other, wanted: wanted)
        }
    }

    /// Texts in a list; a single text counts as a list of one, and what may be missing as one of none.
    func strings(_ key: String, _ wanted: String, canBeMissing: Bool = false) throws(ReleaseError) -> [String] {
        let texts = try optionalStrings(key, wanted)
        return try required(key, texts ?? (canBeMissing ? [] : nil), wanted: wanted)
    }

    func optionalStrings(_ key: String, _ wanted: String) throws(ReleaseError) -> [String]? {
        switch value(key) {
        case nil: return nil
        case .string(let text): return [text]
        case .array(let elements):
            var texts: [String] = []
            for element in elements {
                guard case .string(let text) = element else { throw wrong(key, element, wanted: wanted) }
                texts.append(text)
            }
            return texts
        case let other?: throw wrong(key, other, wanted: wanted)
        }
    }

    /// Ports for peers in a list; none if the key is absent.
    func peerPorts(_ key: String) throws(ReleaseError) -> [TransportPort] {
        let wanted = "a list of port numbers, 1 to 65535, and { \"udp\": PORT }"
        switch value(key) {
        case nil: return []
        case .array(let elements):
            var ports: [TransportPort] = []
            for element in elements {
                let (number, transport) =
                    if case .object(let members) = element, members.count == 1, let number = members["udp"] {
                        (number, TransportProtocol.udp)
                    } else {
                        (element, TransportProtocol.tcp)
                    }
                guard case .integer(let number) = number, let port = UInt16(exactly: number), port > 0 else {
                    throw wrong(key, element, wanted: wanted)
                }
                ports.append(TransportPort(port, transport))
            }
            guard ports.isEmpty || ports.contains(where: { $0.transport == .tcp }) else {
                throw Self.mistake(
                    file, "\"\(Self.join(place, key))\" has no TCP port, by which nodes tell each other of versions",
                    remedy: "add one, which may have the number of the UDP port: [\(ports[0].number), { \"udp\": "
                        + "\(ports[0].number) }]")
            }
            return ports
        case let other?: throw wrong(key, other, wanted: wanted)
        }
    }

    /// Ports for clients in a list; none if the key is absent.
    func clientPorts(_ key: String) throws(ReleaseError) -> [ReleaseManifest.ClientPort] {
        let wanted = "a list of port numbers, 1 to 65535, { \"udp\": PORT } and { \"unix\": NAME, \"port\": PORT }"
        switch value(key) {
        case nil: return []
        case .array(let elements):
            var ports: [ReleaseManifest.ClientPort] = []
            for (index, element) in elements.enumerated() {
                if case .integer(let number) = element, let port = UInt16(exactly: number), port > 0 {
                    ports.append(.tcp(port))
                } else if case .object(let members) = element {
                    ports.append(try clientPort(element, "\(key)[\(index)]", members, wanted: wanted))
                } else {
                    throw wrong(key, element, wanted: wanted)
                }
            }
            return ports
        case let other?: throw wrong(key, other, wanted: wanted)
        }
    }

    private func clientPort(
        _ value: JSONValue, _ place: String, _ members: [String: JSONValue], wanted: String
    ) throws(ReleaseError) -> ReleaseManifest.ClientPort {
        let number = "a port number, 1 to 65535"
        let isUnix = members["unix"] != nil
        let transport = isUnix ? "unix" : members["udp"] != nil ? "udp" : "tcp"
        let reader = try DescriptionReader(
            value, file: file, place: Self.join(self.place, place), keys: isUnix ? ["unix", "port"] : [transport])
        if isUnix {
            let name = try reader.string("unix", "the name of a socket, without a directory")
            return .unix(name: name, port: UInt16(try reader.integer("port", number, in: 1...65535)))
        }
        guard !members.isEmpty else { throw wrong(place, value, wanted: wanted) }
        let port = UInt16(try reader.integer(transport, number, in: 1...65535))
        return transport == "udp" ? .udp(port) : .tcp(port)
    }

    func object(_ key: String, keys: [String]) throws(ReleaseError) -> DescriptionReader {
        let found = try required(
            key, optionalObject(key, keys: keys), wanted: "an object with the keys " + keys.joined(separator: ", "))
        return found
    }

    func optionalObject(_ key: String, keys: [String]) throws(ReleaseError) -> DescriptionReader? {
        guard let value = value(key) else { return nil }
        return try DescriptionReader(value, file: file, place: Self.join(place, key), keys: keys)
    }
}
