public import VersionKit

/// How one key is found, read and installed: with this the library migrates, heals, catches up and compares.
extension MemcachedAdapter: KeyedAdapter {
    /// One reply lists all keys, so there is nothing to go on with. It walks the table of keys rather than the order of
    /// their use, in which a key that is read meanwhile could be passed over.
    public func list(after cursor: Never?) -> [Request] { [Request("lru_crawler metadump hash")] }

    public func page(_ replies: [Reply], after _: Never?) throws(ProxyError) -> (keys: [ByteBuffer], next: Never?) {
        guard let reply = replies.first, !isError(reply) else { throw .malformedReply("no list of keys") }
        let keys = String(buffer: reply).split(whereSeparator: \.isNewline).dropLast().map { line in
            let parts = line.dropFirst(4).prefix { $0 != " " }.split(separator: "%", omittingEmptySubsequences: false)
            let rest = parts.dropFirst().flatMap { [UInt8($0.prefix(2), radix: 16) ?? 0] + $0.dropFirst(2).utf8 }
            return ByteBuffer(bytes: Array(parts[0].utf8) + rest)
        }
        return (keys, nil)
    }

    /// Flags, seconds to live, value; the key does not count as used by it.
    public func read(_ key: ByteBuffer) -> [Request] { [Request("mg KEY f t v u", key)] }

    /// A time to live of more than thirty days would be taken for a time of day, and so it is made one.
    public func install(_ key: ByteBuffer, from replies: [Reply], milliseconds: Int64) throws(ProxyError) -> [Request] {
        guard let reply = replies.first, !isError(reply) else { throw .malformedReply("no state of a key") }
        guard let item = item(reply) else { return [Request("delete KEY", key)] }
        let delay = item.seconds < 0 ? 0 : milliseconds / 1000 + max(item.seconds, 1)
        return [Request("set KEY \(item.flags) \(delay) \(item.value.readableBytes - 2)", key, data: item.value)]
    }

    /// Versions agree on a write if they answer the same, and on a key if value and flags are the same and it expires
    /// within two seconds.
    public func agree(_ one: ByteBuffer, _ other: ByteBuffer, on request: Request) -> Bool {
        guard request.name == "mg", let one = item(one), let other = item(other) else { return one == other }
        let isNear = abs(one.seconds - other.seconds) <= 2
        return isNear && (one.flags, one.value, one.seconds < 0) == (other.flags, other.value, other.seconds < 0)
    }

    private func isError(_ reply: Reply) -> Bool { [.failure, .rejection].contains(judge(reply)) }

    /// A key's state, out of `VA 3 f5 t99`. -1 seconds: it lives for ever. The value has its line end.
    private func item(_ reply: ByteBuffer) -> (flags: String, seconds: Int64, value: ByteBuffer)? {
        let lines = reply.readableBytesView.split(separator: UInt8(ascii: "\n"), maxSplits: 1)
        let words = lines[0].split { $0 <= UInt8(ascii: " ") }.map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 4, let seconds = Int64(words[3].dropFirst()) else { return nil }
        return (String(words[2].dropFirst()), seconds, ByteBuffer(lines[1]))
    }
}
