public import NIOCore

/// Where a command's keys are among the words of a request: a key specification of the server's `COMMAND`, with which a
/// client finds the keys of commands that it does not know.
public struct RespKeySpecification: Sendable, Hashable {
    /// Where the search begins.
    public enum Begin: Sendable, Hashable {
        /// At the word with this number.
        case index(Int)
        /// Behind this word (in lower case), which stands at this number or later.
        case keyword(String, from: Int)
    }

    /// Which words from there on are keys.
    public enum Find: Sendable, Hashable {
        /// Every `step`-th one to the one that is `last` words further; `last` is negative: from the end (-1 is the last
        /// one), or, with a `limit` above one, from the end of that fraction of them.
        case range(last: Int, step: Int, limit: Int)
        /// Every `step`-th one from the one `first` words further, as many as the word `count` words further says.
        case counted(count: Int, first: Int, step: Int)
    }

    /// Where the search begins.
    public let begin: Begin
    /// Which words from there on are keys.
    public let find: Find

    /// A specification from its short form: `BEGIN:LAST,STEP,LIMIT` or `BEGIN:nCOUNT,FIRST,STEP`, where `BEGIN` is an
    /// index or `KEYWORD@INDEX`; `nil`: not of that form.
    public init?(_ text: Substring) {
        let halves = text.split(separator: ":")
        guard halves.count == 2 else { return nil }
        let place = halves[0].split(separator: "@")
        guard let index = place.last.flatMap({ Int($0) }) else { return nil }
        // A server also says "from the end, backwards": looking from the front finds no fewer keys.
        begin = place.count > 1 ? .keyword(place[0].lowercased(), from: abs(index)) : .index(index)
        let isCounted = halves[1].hasPrefix("n")
        let numbers = halves[1].dropFirst(isCounted ? 1 : 0).split(separator: ",").compactMap { Int($0) }
        guard numbers.count == 3, numbers[isCounted ? 2 : 1] > 0 else { return nil }
        find =
            isCounted
            ? .counted(count: numbers[0], first: numbers[1], step: numbers[2])
            : .range(last: numbers[0], step: numbers[1], limit: numbers[2])
    }

    /// Which word it names, if it is one and always the same.
    var onlyKey: Int? {
        guard case .index(let index) = begin, case .range(last: 0, _, _) = find else { return nil }
        return index
    }

    /// The keys that a request names by this specification.
    public func keys(of request: RespRequest) -> [ByteBuffer] {
        switch begin {
        case .index(let index): return keys(of: request, from: index)
        case .keyword(let word, var index):
            // Every place of the keyword: one key too many does no harm, one too few would.
            var keys: [ByteBuffer] = []
            while let place = request.index(of: word, from: index) {
                index = place + 1
                keys += self.keys(of: request, from: index)
            }
            return keys
        }
    }

    private func keys(of request: RespRequest, from first: Int) -> [ByteBuffer] {
        switch find {
        case .range(let last, let step, _) where last >= 0: return request.words(first, through: first + last, by: step)
        case .range(let last, let step, let limit):
            let end = limit > 1 ? first + (request.count - first) / limit : request.count
            return request.words(first, through: end + last, by: step)
        case .counted(let count, let start, let step):
            guard let number = request.integer(first + count), (0...Int64(request.count)).contains(number) else {
                return []
            }
            return request.words(first + start, through: first + start + (Int(number) - 1) * step, by: step)
        }
    }
}
