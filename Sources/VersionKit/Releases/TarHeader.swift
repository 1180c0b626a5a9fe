/// One 512-byte header of a tar archive, as far as safety asks.
struct TarHeader {
    enum Kind: Equatable {
        case file, directory, symbolicLink, hardLink
        /// GNU: the name, or the link's target, of the next member.
        case longName, longLink
        /// POSIX: keys and values for the next member, or for all.
        case attributes, globalAttributes

        /// Whether it describes the next header instead of being a member.
        var isExtension: Bool {
            switch self {
            case .longName, .longLink, .attributes, .globalAttributes: true
            case .file, .directory, .symbolicLink, .hardLink: false
            }
        }
    }

    var kind: Kind
    var name: [UInt8]
    var linkName: [UInt8]
    var size: UInt64

    init(_ block: [UInt8]) throws(TarScanner.Problem) {
        precondition(block.count == 512, "a tar header has 512 bytes")
        let sum = block.enumerated().reduce(0) { sum, byte in
            sum + ((148..<156).contains(byte.offset) ? 32 : Int(byte.element))
        }
        guard try Self.number(block[148..<156]) == UInt64(sum) else {
            throw TarScanner.Problem(message: "this is not a tar archive, or a damaged one")
        }
        kind = try Self.kind(block[156])
        size = try Self.number(block[124..<136])
        linkName = Self.text(block[157..<257])
        let base = Self.text(block[0..<100])
        let prefix = Self.text(block[345..<500])
        // Only POSIX archives have a prefix there; GNU ones keep other things in the same place.
        let hasPrefix = block[257..<263].elementsEqual(Array("ustar".utf8) + [0]) && !prefix.isEmpty
        name = hasPrefix ? prefix + [UInt8(ascii: "/")] + base : base
    }

    private static func kind(_ flag: UInt8) throws(TarScanner.Problem) -> Kind {
        switch flag {
        case 0, UInt8(ascii: "0"): return .file
        case UInt8(ascii: "1"): return .hardLink
        case UInt8(ascii: "2"): return .symbolicLink
        case UInt8(ascii: "5"): return .directory
        case UInt8(ascii: "L"): return .longName
        case UInt8(ascii: "K"): return .longLink
        case UInt8(ascii: "x"): return .attributes
        case UInt8(ascii: "g"): return .globalAttributes
        case UInt8(ascii: "3"), UInt8(ascii: "4"): throw TarScanner.Problem(message: "it holds a device")
        case UInt8(ascii: "6"): throw TarScanner.Problem(message: "it holds a named pipe")
        default: throw TarScanner.Problem(message: "it holds a member of unknown kind \(flag)")
        }
    }

    /// A field up to its first zero byte.
    private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }

    /// A number in octal digits or, for large ones, in GNU's binary form.
    private static func number(_ field: ArraySlice<UInt8>) throws(TarScanner.Problem) -> UInt64 {
        let damaged = TarScanner.Problem(message: "a number in a header is damaged")
        var value: UInt64 = 0
        if let first = field.first, first >= 0x80 {
            guard first == 0x80 else { throw damaged }
            for byte in field.dropFirst() {
                guard value <= UInt64.max >> 8 else { throw damaged }
                value = value << 8 | UInt64(byte)
            }
            return value
        }
        let digits = field.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit), value <= UInt64.max >> 3 else {
                throw damaged
            }
            value = value << 3 | UInt64(digit - UInt8(ascii: "0"))
        }
        return value
    }
}

/// What extension headers say about the member that follows.
struct TarOverrides {
    private var name: [UInt8]?
    private var linkName: [UInt8]?
    private var size: UInt64?

    var isEmpty: Bool { name == nil && linkName == nil && size == nil }

    func applied(to header: TarHeader) -> TarHeader {
        var member = header
        if let name { member.name = name }
        if let linkName { member.linkName = linkName }
        if let size { member.size = size }
        return member
    }

    mutating func take(_ kind: TarHeader.Kind, _ content: [UInt8]) throws(TarScanner.Problem) {
        switch kind {
        case .longName: try Self.set(&name, Array(content.prefix { $0 != 0 }))
        case .longLink: try Self.set(&linkName, Array(content.prefix { $0 != 0 }))
        case .attributes: try takeAttributes(content, areGlobal: false)
        case .globalAttributes: try takeAttributes(content, areGlobal: true)
        case .file, .directory, .symbolicLink, .hardLink:
            preconditionFailure("members describe nothing but themselves")
        }
    }

    /// Two answers to one question are one too many: readers differ in which they believe.
    private static func set<Value>(_ field: inout Value?, _ value: Value) throws(TarScanner.Problem) {
        guard field == nil else { throw TarScanner.Problem(message: "a member is described twice") }
        field = value
    }

    /// Records of the form `<length> <key>=<value>\n`.
    private mutating func takeAttributes(
        _ content: [UInt8], areGlobal: Bool
    ) throws(TarScanner.Problem) {
        let damaged = TarScanner.Problem(message: "an extended header is damaged")
        var rest = content[...]
        while !rest.isEmpty {
            let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard digits.count <= 6, let length = Int(String(decoding: digits, as: UTF8.self)),
                length > digits.count + 2, length <= rest.count
            else { throw damaged }
            let record = rest.prefix(length)
            rest = rest.dropFirst(length)
            guard record.last == UInt8(ascii: "\n"), record[record.startIndex + digits.count] == UInt8(ascii: " ")
            else { throw damaged }
            let body = record.dropFirst(digits.count + 1).dropLast()
            guard let equals = body.firstIndex(of: UInt8(ascii: "=")) else { throw damaged }
            try takeAttribute(
                String(decoding: body[..<equals], as: UTF8.self), Array(body[(equals + 1)...]), isGlobal: areGlobal)
        }
    }

    private mutating func takeAttribute(
        _ key: String, _ value: [UInt8], isGlobal: Bool
    ) throws(TarScanner.Problem) {
        guard !key.hasPrefix("GNU.sparse") else { throw TarScanner.Problem(message: "it holds a sparse file") }
        guard ["path", "linkpath", "size"].contains(key) else { return }
        guard !isGlobal, !value.isEmpty, !value.contains(0) else {
            throw TarScanner.Problem(message: "an extended header is damaged")
        }
        switch key {
        case "path": try Self.set(&name, value)
        case "linkpath": try Self.set(&linkName, value)
        default:
            guard let number = UInt64(String(decoding: value, as: UTF8.self)) else {
                throw TarScanner.Problem(message: "a number in a header is damaged")
            }
            try Self.set(&size, number)
        }
    }
}
