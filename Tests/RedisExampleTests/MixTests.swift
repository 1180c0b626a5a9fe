import RedisCheckModel
import Testing

@Suite("What a checking client does")
struct MixTests {
    @Test("ten thousand rounds use every command, on keys of its own, with no key in two steps of a pipeline")
    func rounds() {
        var mix = Mix(prefix: "check:1:", random: SplitMix(seed: 1))
        var keyspace = Keyspace()
        var names: Set<String> = []
        for _ in 0..<10_000 {
            let steps = mix.next(keyspace)
            #expect(steps.map(\.keys.count).reduce(0, +) == Set(steps.flatMap(\.keys)).count)
            for step in steps {
                #expect(step.keys.allSatisfy { $0.hasPrefix("check:1:") && mix.kind(of: $0) != nil })
                names.formUnion(step.requests.map { $0[0] + ($0.contains("EX") ? " EX" : "") })
                #expect(keyspace.answered(step, perfect(step, keyspace)) == nil)
            }
        }
        #expect(
            names == [
                "SET", "SET EX", "GET", "GETDEL", "APPEND", "INCR", "INCRBY", "LPUSH", "RPOP", "LLEN", "HSET", "SADD",
                "SREM", "SPOP", "SMEMBERS", "ZADD", "DEL", "EXPIRE", "PERSIST", "MULTI", "EXEC",
            ])
        #expect(keyspace.losses(keyspace.entries).isEmpty)
    }

    /// What a Redis would answer that holds what it must.
    private func perfect(_ step: Step, _ keyspace: Keyspace) -> [Reply] {
        var entries = keyspace.entries
        let replies = step.items.compactMap { item in
            let outcome = item.command.outcomes(entries[item.key]).first
            entries[item.key] = outcome?.entry
            return outcome?.reply
        }
        return step.isTransaction ? [.ok] + replies.map { _ in .queued } + [.array(replies)] : replies
    }
}
