import Testing
import VersionKitModel
import VersionKitRouter
import VersionKitWire

@Suite("The verdicts that a node keeps")
struct SpreadVerdictsTests {
    private func sealed(
        _ finding: SpreadVerdict.Finding, by node: Int = 1, version: Version = 2, reason: String = "why"
    ) throws -> SpreadVerdict.Sealed {
        let verdict = SpreadVerdict(
            application: try #require(ApplicationID(rawValue: "irislog")), version: version,
            manifest: try #require(Digest(hex: String(repeating: "0", count: 64))), finding: finding,
            node: try #require(IPAddress("10.0.1.\(node)")), time: 0, reason: reason)
        return SpreadVerdict.Sealed(verdict, code: [])
    }

    @Test("what is known already is no news, also in other words")
    func known() throws {
        var verdicts = SpreadVerdicts()
        #expect(verdicts.add(try sealed(.promoted)))
        #expect(verdicts.add(try sealed(.promoted, reason: "other words")) == false)
        #expect(verdicts.add(try sealed(.promoted, by: 2)))
        #expect(verdicts.add(try sealed(.withdrawn)))
        #expect(verdicts.all.count == 3)
    }

    @Test("no more are kept than the bound, and a bad word finds room")
    func bounded() throws {
        var verdicts = SpreadVerdicts()
        for node in 0..<SpreadVerdicts.verdictsMax { #expect(verdicts.add(try sealed(.promoted, by: node))) }
        #expect(verdicts.add(try sealed(.promoted, by: 200)) == false)
        #expect(verdicts.withdrawal(of: 2) == nil)
        #expect(verdicts.add(try sealed(.withdrawn, by: 200)))
        #expect(verdicts.all.count == SpreadVerdicts.verdictsMax)
        #expect(verdicts.withdrawal(of: 2) == "why")
    }

    @Test("those about older versions are forgotten")
    func forgotten() throws {
        var verdicts = SpreadVerdicts([try sealed(.promoted, version: 2), try sealed(.withdrawn, version: 3)])
        verdicts.forget(before: 3)
        #expect(verdicts.all.map(\.verdict.version) == [3])
    }
}
