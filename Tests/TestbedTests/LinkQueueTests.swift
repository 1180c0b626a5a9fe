import Testing

@testable import VersionKitTestbed

@Suite struct LinkQueueTests {
    private let millisecond: Int64 = 1_000_000

    @Test("a frame comes out after the delay and not before")
    func delay() {
        var queue = LinkQueue<Int>(Link(delay: .milliseconds(5)))
        #expect(queue.enqueue(1, bytes: 1000, at: 0) == true)
        #expect(queue.nextDue == 5 * millisecond)
        #expect(queue.dequeue(at: 5 * millisecond - 1) == nil)
        #expect(queue.dequeue(at: 5 * millisecond) == 1)
        #expect(queue.dequeue(at: 5 * millisecond) == nil)
        #expect(queue.nextDue == nil)
    }

    @Test("frames that come together leave one after the other, each as long as its bytes take")
    func rate() {
        // 1000 bytes at 8 Mbit/s take 1 ms.
        var queue = LinkQueue<Int>(Link(delay: .milliseconds(10), rate: .megabits(8)))
        for number in 1...3 { #expect(queue.enqueue(number, bytes: 1000, at: 0) == true) }
        for number in 1...3 {
            #expect(queue.nextDue == (10 + Int64(number)) * millisecond)
            #expect(queue.dequeue(at: (10 + Int64(number)) * millisecond) == number)
        }
    }

    @Test("an idle link saves no time up")
    func idle() {
        var queue = LinkQueue<Int>(Link(rate: .megabits(8)))
        #expect(queue.enqueue(1, bytes: 1000, at: 0) == true)
        #expect(queue.dequeue(at: millisecond) == 1)
        #expect(queue.enqueue(2, bytes: 1000, at: 100 * millisecond) == true)
        #expect(queue.nextDue == 101 * millisecond)
    }

    @Test("a frame that finds the queue full is dropped and counted, and the next fits once there is room")
    func tailDrop() {
        var queue = LinkQueue<Int>(Link(rate: .megabits(8), queueBytesMax: 2000))
        #expect(queue.enqueue(1, bytes: 1000, at: 0) == true)
        #expect(queue.enqueue(2, bytes: 1000, at: 0) == true)
        #expect(queue.enqueue(3, bytes: 1000, at: 0) == false)
        #expect(queue.enqueue(4, bytes: 1000, at: millisecond) == true)
        #expect(queue.traffic.framesAccepted == 3)
        #expect(queue.traffic.bytesAccepted == 3000)
        #expect(queue.traffic.framesDropped == 1)
        #expect(queue.traffic.bytesDropped == 1000)
    }

    @Test("an idle link takes a frame bigger than its queue")
    func bigFrame() {
        var queue = LinkQueue<Int>(Link(rate: .megabits(8), queueBytesMax: 2000))
        #expect(queue.enqueue(1, bytes: 65_000, at: 0) == true)
        #expect(queue.enqueue(2, bytes: 100, at: 0) == false)
        #expect(queue.nextDue == 65 * millisecond)
    }

    @Test("without a rate nothing waits, but memory stays bounded")
    func unlimited() {
        var queue = LinkQueue<Int>(Link(delay: .seconds(1)))
        let half = LinkQueue<Int>.bytesHeldMax / 2
        #expect(queue.enqueue(1, bytes: half, at: 0) == true)
        #expect(queue.enqueue(2, bytes: half, at: 0) == true)
        #expect(queue.enqueue(3, bytes: 1, at: 0) == false)
        #expect(queue.dequeue(at: 1000 * millisecond) == 1)
        #expect(queue.enqueue(4, bytes: 1, at: 1000 * millisecond) == true)
    }

    @Test("any number of frames keeps its order")
    func order() {
        var queue = LinkQueue<Int>(Link(delay: .milliseconds(1)))
        var expected = 0
        for number in 0..<10_000 {
            let now = Int64(number) * 10_000
            #expect(queue.enqueue(number, bytes: 100, at: now) == true)
            while let frame = queue.dequeue(at: now) {
                #expect(frame == expected)
                expected += 1
            }
        }
        #expect(expected == 9_900)
    }
}
