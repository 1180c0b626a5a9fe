public import NIOCore

extension RespRequest {
    /// A word; empty where there is none.
    public subscript(index: Int) -> ByteBuffer {
        var word: Range<Int>?
        forEachWord(from: index) { _, _, range in
            word = range
            return false
        }
        return word.flatMap(slice) ?? ByteBuffer()
    }

    /// Every `step`-th word from `start` to `end`, as far as they are there.
    public func words(_ start: Int, through end: Int = .max, by step: Int = 1) -> [ByteBuffer] {
        var words: [ByteBuffer] = []
        forEachWord(from: start) { index, bytes, word in
            guard index <= end else { return false }
            if (index - start) % step == 0, let word = slice(word) { words.append(word) }
            return true
        }
        return words
    }

    /// A word as a number.
    public func integer(_ index: Int) -> Int64? { Int64(String(buffer: self[index])) }

    /// Whether a word is this one, in whatever case; `word` is in lower case.
    public func matches(_ index: Int, _ word: String) -> Bool {
        self.index(of: word, from: index, through: index) != nil
    }

    /// The first word from `start` on that is this one, in whatever case; `word` is in lower case.
    public func index(of word: String, from start: Int, through end: Int = .max) -> Int? {
        var place: Int?
        forEachWord(from: start) { index, bytes, range in
            guard index <= end else { return false }
            if range.count == word.utf8.count, bytes[range].elementsEqual(word.utf8, by: { $0.lowered == $1 }) {
                place = index
            }
            return place == nil
        }
        return place
    }

    /// The same command with other words.
    public mutating func rewrite(_ change: (inout [ByteBuffer]) -> Void) {
        var words = words(0)
        change(&words)
        let number = commandNumber
        self = RespRequest(words)
        commandNumber = number
    }

    /// Calls `body` with the number of each word, all bytes, and where in them the word lies, until it returns `false`.
    @inline(__always)
    private func forEachWord(from start: Int, _ body: (Int, UnsafeRawBufferPointer, Range<Int>) -> Bool) {
        guard (0..<count).contains(start) else { return }
        ownBytes.withUnsafeReadableBytes { bytes in
            // Behind `*`, the count, and the end of the line.
            var scanner = RespScanner(bytes, from: 4)
            while bytes[scanner.position - 1] != 10 { scanner.position += 1 }
            for index in 0..<count {
                // It was read before, or made here: it is complete.
                guard let word = try? scanner.word() else { return }
                if index >= start, !body(index, bytes, word) { return }
            }
        }
    }

    private func slice(_ range: Range<Int>) -> ByteBuffer? {
        ownBytes.getSlice(at: ownBytes.readerIndex + range.lowerBound, length: range.count)
    }
}
