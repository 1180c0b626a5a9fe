import NIOCore

/// The options of a request, which stand one behind the other between words that mean something by their place.
public struct RespOptions: Sendable, Hashable {
    /// Those that are there, in lower case, `=` and `~` among them.
    public var names: [String]
    /// Where the first word is that belongs to none.
    public var end: Int
}

extension RespRequest {
    /// The options that begin at `start`; `nil` if there are so many that nobody means it.
    ///
    /// A word that looks like an option, but is what another one says, is none: `GROUP streams me STREAMS key`.
    ///
    /// - Parameter arguments: the options that the command knows, in lower case, and how many words stand behind each.
    ///   Before a single one there may be a `=` or `~`.
    public func options(from start: Int, _ arguments: [String: Int]) -> RespOptions? {
        // Every look at a word walks over all before it, so they are taken at once, and only so many.
        let words = words(start, through: start + 32)
        var options = RespOptions(names: [], end: start)
        while let name = words.dropFirst(options.end - start).first?.loweredName, let count = arguments[name] {
            options.names.append(name)
            options.end += 1 + count
            let next = words.dropFirst(options.end - count - start).first
            guard count == 1, let mark = next?.loweredName, mark == "=" || mark == "~" else { continue }
            options.names.append(mark)
            options.end += 1
        }
        return options.end - start > 32 ? nil : options
    }
}

extension ByteBuffer {
    /// The text of a word that is short enough to be an option's name.
    fileprivate var loweredName: String? {
        readableBytes > 16 ? nil : String(decoding: readableBytesView.map(\.lowered), as: UTF8.self)
    }
}
