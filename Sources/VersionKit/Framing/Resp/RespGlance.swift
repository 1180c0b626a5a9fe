public import VersionKitProxy
public import VersionKitWire

/// What a quick look says of the requests of one command.
public struct RespGlance: Sendable {
    /// What it can say.
    public enum Way: Sendable { case read, write, other, unusual }

    private let arity: Int
    private let way: Way
    private let plainCountMax: Int

    /// What is said of a command.
    ///
    /// - Parameters:
    ///   - way: what is said of requests with the right number of words. A write to another key than the second word is
    ///     ``Way/other``.
    ///   - plainCountMax: a write of more words has options that have to be looked at: ``Way/other``.
    public init(_ command: RespCommand, _ way: Way, plainCountMax: Int = .max) {
        arity = command.arity
        self.way = way == .write && command.onlyKey != 1 ? .other : way
        self.plainCountMax = plainCountMax
    }

    func glance(_ count: Int, _ second: UnsafeRawBufferPointer, _ space: UInt16) -> Glance {
        guard arity < 0 ? count >= -arity : count == arity else { return .unusual }
        switch way {
        case .read: return .read
        case .write where count <= plainCountMax: return .write(KeyMark(key: second, in: space))
        case .write, .other: return .other
        case .unusual: return .unusual
        }
    }
}

extension RespCommandTable {
    /// A quick look at a request (``MessageAdapter/glance(at:from:in:)``): `nil` if it is not complete; unusual if it is not
    /// an array of words, or not of a command of this table.
    ///
    /// - Parameters:
    ///   - glances: what is said of each of the ``commands``.
    ///   - space: the space of keys, a database.
    public func glance(at bytes: inout PeekBuffer, by glances: [RespGlance], in space: UInt16) -> Glance? {
        let found = bytes.withUnsafeAvailableBytes { bytes -> (glance: Glance, length: Int)? in
            guard let first = bytes.first else { return nil }
            guard first == UInt8(ascii: "*") else { return (.unusual, 0) }
            var scanner = RespScanner(bytes)
            do throws(ProxyError) {
                guard let request = try scanner.request() else { return nil }
                guard request.count > 0, let command = find(request, in: bytes) else { return (.unusual, 0) }
                let second = UnsafeRawBufferPointer(rebasing: bytes[request.second])
                return (glances[command].glance(request.count, second, space), scanner.position)
            } catch {
                return (.unusual, 0)
            }
        }
        guard let found else { return nil }
        bytes.skip(found.length)
        return found.glance
    }
}

extension RespReply {
    /// A quick look at a reply (``MessageAdapter/glanceReply(at:from:)``): whether it is a value, and neither an error nor
    /// something besides the reply. `nil`: not complete.
    public static func glance(at bytes: inout PeekBuffer) -> Bool? {
        let found = bytes.withUnsafeAvailableBytes { bytes -> (isPlain: Bool, length: Int)? in
            guard let kind = bytes.first else { return nil }
            guard kind != UInt8(ascii: "-"), kind != UInt8(ascii: "!"), kind != UInt8(ascii: ">"),
                kind != UInt8(ascii: "|")
            else { return (false, 0) }
            var scanner = RespScanner(bytes)
            do throws(ProxyError) {
                return try scanner.skipValue() ? (true, scanner.position) : nil
            } catch {
                return (false, 0)
            }
        }
        guard let found else { return nil }
        bytes.skip(found.length)
        return found.isPlain
    }
}
