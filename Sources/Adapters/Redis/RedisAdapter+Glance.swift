public import VersionKit

/// The quick look at requests and replies, for the commands that are nearly all of the traffic.
extension RedisAdapter {
    public func glance(at bytes: inout PeekBuffer, from client: Version, in session: RedisSession) -> Glance? {
        guard session.transaction == nil else { return .unusual }
        let found = bytes.withUnsafeAvailableBytes { bytes -> (glance: Glance, length: Int)? in
            var scanner = GlanceScanner(bytes)
            switch scanner.request() {
            case .incomplete: return nil
            case .unusual: return (.unusual, 0)
            case .words(let count, let name, let key):
                let kind = commands.glances[name] ?? .unusual
                return (kind.glance(count, key, session.database), scanner.position)
            }
        }
        guard let found else { return nil }
        bytes.skip(found.length)
        return found.glance
    }

    public func sharesConnections(_ session: RedisSession) -> Bool { session.isFresh }

    public func glanceReply(at bytes: inout PeekBuffer, from version: Version) -> Bool? {
        let found = bytes.withUnsafeAvailableBytes { bytes -> (isPlain: Bool, length: Int)? in
            var scanner = GlanceScanner(bytes)
            guard let isPlain = scanner.reply() else { return nil }
            return (isPlain, scanner.position)
        }
        guard let found else { return nil }
        bytes.skip(found.length)
        return found.isPlain
    }
}

/// A command's name of at most fifteen bytes, in lower case, with its length.
struct ShortName: Hashable {
    static let lengthMax = 15
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    /// `nil`: too long.
    init?(_ name: some Collection<UInt8>) {
        guard name.count <= Self.lengthMax else { return nil }
        for byte in name {
            high = high << 8 | low >> 56
            low = low << 8 | UInt64(byte.lowered)
        }
        // Bytes of zero count, too.
        high |= UInt64(name.count) << 56
    }
}

/// What the quick look says of a command.
struct GlanceKind {
    enum Way { case unusual, read, write, other }

    static let unusual = GlanceKind(way: .unusual, arity: 0, countMax: 0)

    var way: Way
    var arity: Int
    /// With more arguments a write has options that have to be looked at.
    var countMax: Int

    func glance(_ count: Int, _ key: UnsafeRawBufferPointer.SubSequence, _ database: Int) -> Glance {
        guard arity < 0 ? count >= -arity : count == arity else { return .unusual }
        switch way {
        case .unusual: return .unusual
        case .read: return .read
        case .other: return .other
        case .write:
            guard count <= countMax else { return .other }
            var mark = KeyMark()
            mark.combine([UInt8(truncatingIfNeeded: database >> 8), UInt8(truncatingIfNeeded: database)])
            mark.combine(key)
            return .write(mark)
        }
    }
}

extension GlanceKind {
    init(_ command: RedisCommand) {
        self.init(way: .unusual, arity: command.arity, countMax: .max)
        guard !command.mayBlock else { return }
        switch command.policy {
        case .read: way = .read
        case .write:
            let spec = command.specs.first
            let isOne = command.specs.count == 1 && spec?.begin == 1 && spec?.keyword == nil
            way = isOne && spec?.isCounted == false && spec?.find.first == 0 ? .write : .other
            switch command.expiry {
            case nil: break
            // Without options it lives for ever.
            case .options: countMax = command.name == "set" ? 3 : 0
            case .second, .restore: countMax = 0
            }
        case .lead, .stores, .moves, .appends, .everything: way = .other
        default: break
        }
    }
}

/// Finds ends: whatever it does not understand, or would complain about, is unusual.
struct GlanceScanner {
    enum Request {
        case incomplete
        case unusual
        case words(Int, ShortName, key: UnsafeRawBufferPointer.SubSequence)
    }

    private let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func request() -> Request {
        guard let first = bytes.first else { return .incomplete }
        guard first == UInt8(ascii: "*") else { return .unusual }
        position = 1
        guard let count = number() else { return isAtEnd ? .incomplete : .unusual }
        guard count > 0, count <= RespLimits.argumentsMax else { return .unusual }
        // No argument takes less than six bytes.
        guard count <= 64 || bytes.count - position >= 6 * count else { return .incomplete }
        var name: ShortName?
        var key = bytes[0..<0]
        for index in 0..<count {
            guard position < bytes.count else { return .incomplete }
            guard bytes[position] == UInt8(ascii: "$") else { return .unusual }
            position += 1
            guard let length = number() else { return isAtEnd ? .incomplete : .unusual }
            guard length <= RespLimits.bulkBytesMax else { return .unusual }
            let end = position + length
            guard end + 2 <= bytes.count else { return .incomplete }
            guard bytes[end] == 13, bytes[end + 1] == 10 else { return .unusual }
            if index == 0 {
                name = ShortName(bytes[position..<end])
            } else if index == 1 {
                key = bytes[position..<end]
            }
            position = end + 2
        }
        guard let name else { return .unusual }
        return .words(count, name, key: key)
    }

    /// Whether the next reply is plain; `nil`: not complete.
    mutating func reply() -> Bool? {
        guard let first = bytes.first else { return nil }
        switch first {
        case UInt8(ascii: "+"), UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: ","), UInt8(ascii: "#"):
            guard let end = bytes.firstIndex(of: 10) else { return bytes.count > RespLimits.lineBytesMax ? false : nil }
            position = end + 1
            return bytes[end - 1] == 13
        case UInt8(ascii: "$"):
            position = 1
            if bytes.count > 4, bytes[1] == UInt8(ascii: "-") {
                position = 5
                return bytes[3] == 13
            }
            guard let length = number() else { return isAtEnd ? nil : false }
            guard length <= RespLimits.bulkBytesMax else { return false }
            position += length + 2
            guard position <= bytes.count else { return nil }
            return bytes[position - 2] == 13
        case UInt8(ascii: "*"), UInt8(ascii: "%"), UInt8(ascii: "~"):
            var scanner = RespScanner(bytes)
            guard let isComplete = try? scanner.skipValue() else { return false }
            position = scanner.position
            return isComplete ? true : nil
        default: return false
        }
    }

    private var isAtEnd: Bool { position >= bytes.count }

    /// A number of at most nine digits and the end of its line; the position is at the end if that is not there yet.
    private mutating func number() -> Int? {
        var value = 0
        let first = position
        while position < bytes.count, bytes[position] &- 48 <= 9 {
            value = value * 10 + Int(bytes[position] &- 48)
            position += 1
            guard position - first <= 9 else { return nil }
        }
        guard position + 1 < bytes.count else {
            if position < bytes.count, bytes[position] == 13 { position += 1 }
            return nil
        }
        guard position > first, bytes[position] == 13, bytes[position + 1] == 10 else { return nil }
        position += 2
        return value
    }
}
