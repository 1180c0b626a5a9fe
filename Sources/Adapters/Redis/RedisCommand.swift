import VersionKit

/// What the adapter knows of one command.
final class RedisCommand: Sendable {
    /// What is done with it.
    enum Policy: String, Sendable {
        case read, write, lead, everything, functions, scripts, session, multi, exec, discard, watch, quit, cursor
        /// Writes if a destination is named.
        case stores
        /// Writes to the database that an argument names, too.
        case moves
        /// Writes, with an identity of the server's choice if that is `*`.
        case appends
        /// Runs a script on the keys that it declares.
        case evaluates
        /// A message to or from other clients.
        case channels
        /// Something that an operator does to one server.
        case operators
    }

    /// Where a relative time to live stands.
    enum Expiry: String, Sendable { case options, second, restore }

    /// A key specification of the server's `COMMAND`.
    struct KeySpec: Sendable {
        var keyword: String?
        var begin: Int
        var isCounted: Bool
        /// `last, step, limit` of a range, or `index, first, step` of counted keys.
        var find: [Int]
    }

    let name: String
    let arity: Int
    let policy: Policy
    let mayBlock: Bool
    let isIdempotent: Bool
    let expiry: Expiry?
    let specs: [KeySpec]

    /// A line of ``CommandTable/redis7``.
    init(_ words: [Substring], _ roles: [Substring: Set<String>]) {
        name = String(words[0])
        arity = Int(words[1]) ?? 0
        let flags = words[2]
        let roles = roles[words[0]] ?? []
        let usual: Policy =
            flags.contains("p") ? .channels : flags.contains("w") ? .write : flags.contains("r") ? .read : .operators
        policy = roles.lazy.compactMap(Policy.init(rawValue:)).first ?? (name.hasSuffix("|help") ? .read : usual)
        mayBlock = flags.contains("b")
        isIdempotent = roles.contains("idempotent") || policy == .read
        expiry = roles.lazy.compactMap(Expiry.init(rawValue:)).first
        specs = words.dropFirst(3).map { word in
            let halves = word.split(separator: ":")
            let begin = halves[0].split(separator: "@")
            let isCounted = halves[1].first == "n"
            return KeySpec(
                keyword: begin.count > 1 ? begin[0].lowercased() : nil, begin: begin.last.flatMap { Int($0) } ?? 0,
                isCounted: isCounted,
                find: halves[1].dropFirst(isCounted ? 1 : 0).split(separator: ",").compactMap { Int($0) })
        }
    }

    /// The keys that a request names.
    func keys(of request: RedisRequest) -> [ByteBuffer] {
        var keys: [ByteBuffer] = []
        for spec in specs {
            guard let keyword = spec.keyword else {
                spec.collect(from: spec.begin, of: request, into: &keys)
                continue
            }
            // Every place of the keyword: one key too many does no harm, one too few would.
            var from = abs(spec.begin)
            while let place = request.index(of: keyword, from: from) {
                spec.collect(from: place + 1, of: request, into: &keys)
                from = place + 1
            }
        }
        return keys
    }
}

extension RedisCommand.KeySpec {
    fileprivate func collect(from first: Int, of request: RedisRequest, into keys: inout [ByteBuffer]) {
        var start = first
        var end: Int
        var step = find[1]
        if isCounted {
            step = find[2]
            guard let number = request.integer(first + find[0]), (0...Int64(request.count)).contains(number) else {
                return
            }
            start += find[1]
            end = start + (Int(number) - 1) * step
        } else if find[0] >= 0 {
            end = first + find[0]
        } else {
            end = (find[2] > 1 ? first + (request.count - first) / find[2] : request.count) + find[0]
        }
        end = min(end, request.count - 1)
        for index in stride(from: start, through: end, by: step) { keys.append(request[index]) }
    }
}
