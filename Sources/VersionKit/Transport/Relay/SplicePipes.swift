import CLinux
import Glibc

/// A pipe through which a stream is spliced. Empty whenever it is in the pool.
struct SplicePipe {
    /// Bytes that one pipe takes: what is asked for, as the kernel may have given less.
    static let capacity = 256 << 10

    let output: Int32
    let input: Int32
    /// Bytes in it.
    var bytes = 0
}

/// Pipes of one thread: a direction has one only while bytes are in it, so few serve many connections.
struct SplicePipes {
    private var idle: [SplicePipe] = []
    private var count = 0
    private let countMax: Int

    init(countMax: Int) { self.countMax = countMax }

    /// An empty pipe, or `nil` if all are in use or none can be made.
    mutating func take() -> SplicePipe? {
        if let pipe = idle.popLast() { return pipe }
        guard count < countMax else { return nil }
        var ends: [Int32] = [-1, -1]
        guard vk_pipe2(&ends, O_NONBLOCK) == 0 else { return nil }
        // F_SETPIPE_SZ; a pipe that stays smaller works as well, in more steps.
        _ = fcntl(ends[1], 1031, Int32(SplicePipe.capacity))
        count += 1
        return SplicePipe(output: ends[0], input: ends[1])
    }

    /// Takes over a pipe with bytes in it.
    mutating func adopt(_ pipe: SplicePipe) -> SplicePipe {
        count += 1
        return pipe
    }

    /// Takes a pipe back; one with bytes in it is closed.
    mutating func give(_ pipe: SplicePipe) {
        guard pipe.bytes > 0 else { return idle.append(pipe) }
        close(pipe)
    }

    /// Closes those that are not in use.
    mutating func closeAll() {
        while let pipe = idle.popLast() { close(pipe) }
    }

    private mutating func close(_ pipe: SplicePipe) {
        Glibc.close(pipe.output)
        Glibc.close(pipe.input)
        count -= 1
    }
}
