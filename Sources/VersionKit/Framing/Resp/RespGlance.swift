public import VersionKitProxy
public import VersionKitWire

extension RespCommandTable {
    /// A quick look at a request (``MessageAdapter/glance(at:from:in:)``): `nil` if it is not complete; unusual if it is not
    /// an array of words, or not of a command of this table.
    ///
    /// - Parameter say: what is to be said of a command, with its place in ``commands``, of how many words the request
    ///   is, and the second of them, which is good only until this returns.
    public func glance(
        at bytes: inout PeekBuffer, _ say: (_ command: Int, _ count: Int, _ second: UnsafeRawBufferPointer) -> Glance
    ) -> Glance? {
        let found = bytes.withUnsafeAvailableBytes { bytes -> (glance: Glance, length: Int)? in
            guard let first = bytes.first else { return nil }
            guard first == UInt8(ascii: "*") else { return (.unusual, 0) }
            var scanner = RespScanner(bytes)
            do throws(ProxyError) {
                guard let request = try scanner.request() else { return nil }
                guard request.count > 0, let command = find(request, in: bytes) else { return (.unusual, 0) }
                let second = UnsafeRawBufferPointer(rebasing: bytes[request.second])
                return (say(command, request.count, second), scanner.position)
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
