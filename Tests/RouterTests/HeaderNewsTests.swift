import Testing
import VersionKitModel
import VersionKitRouter
import VersionKitWire

@Suite("Which headers are news")
struct HeaderNewsTests {
    private var news = HeaderNews()
    private let peer = IPAddress(v4: 1)

    private func header(_ version: Version, advertised: Version? = nil, flags: VersionHeader.Flags = [])
        -> VersionHeader
    {
        VersionHeader(
            application: ApplicationID(rawValue: "cfs")!, sender: version, advertised: advertised, flags: flags)
    }

    @Test("The same header of a peer is news once in a second")
    mutating func repeated() {
        #expect(news.isNews(header(1), from: peer, by: 7000, at: .zero) == true)
        #expect(news.isNews(header(1), from: peer, by: 7000, at: .milliseconds(999)) == false)
        #expect(news.isNews(header(1), from: peer, by: 7000, at: .seconds(1)) == true)
    }

    @Test("Another advertisement, peer or port is news at once")
    mutating func different() {
        #expect(news.isNews(header(1), from: peer, by: 7000, at: .zero) == true)
        #expect(news.isNews(header(1, advertised: 2), from: peer, by: 7000, at: .zero) == true)
        #expect(news.isNews(header(1), from: IPAddress(v4: 2), by: 7000, at: .zero) == true)
        #expect(news.isNews(header(1), from: peer, by: 7001, at: .zero) == true)
    }

    @Test("How a connection was made is not")
    mutating func flags() {
        #expect(news.isNews(header(1), from: peer, by: 7000, at: .zero) == true)
        #expect(news.isNews(header(1, flags: .prompt), from: peer, by: 7000, at: .zero) == false)
    }

    @Test("With more than can be remembered all are told, and none is kept longer than its second")
    mutating func bounded() {
        for number in 0...UInt32(HeaderNews.headersMax) {
            #expect(news.isNews(header(1), from: IPAddress(v4: number), by: 7000, at: .zero) == true)
        }
        #expect(news.isNews(header(1), from: IPAddress(v4: 0), by: 7000, at: .zero) == true)
    }
}
