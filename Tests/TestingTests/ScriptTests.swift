import Foundation
import Testing
import VersionKitTesting

@Suite("Scripts")
struct ScriptTests {
    private static let names = ["writes", "lost", "reads"]

    private func script(_ name: String) throws -> Script {
        let path = try #require(Bundle.module.path(forResource: name, ofType: "txt", inDirectory: "Scripts"))
        return try Script(String(contentsOfFile: path, encoding: .utf8), name: name + ".txt")
    }

    @Test("a conversation goes as it is written, in memory", arguments: names)
    func inMemory(_ name: String) throws { try script(name).run(StoreAdapter()) }

    @Test("the same conversation goes as it is written, over loopback", arguments: ["writes", "reads"])
    func overLoopback(_ name: String) async throws { try await script(name).runOverLoopback(StoreAdapter()) }

    @Test("a version that was lost gets what it missed, in memory and over loopback")
    func caughtUp() async throws {
        let script = try script("caught-up")
        for byteByByte in [false, true] { try script.run(PatientAdapter(), byteByByte: byteByByte) }
        try await script.runOverLoopback(PatientAdapter())
    }

    @Test("a version that is not sent what it missed as written is told, over loopback")
    func missedOther() async throws {
        let text = #"""
            versions 1 2
            client > set a 1\n
            1 < set a 1\n
            2 < set a 1\n
            2 > ok\n
            1 lost
            missed 1 replay set b 2\n
            """#
        let failure = await #expect(throws: VerificationFailure.self) {
            try await Script(text).runOverLoopback(PatientAdapter())
        }
        #expect(failure?.description.contains("script:7 (over loopback): version 1 got another thing") == true)
    }

    @Test("what is not as written is said with the line, what was expected and what came")
    func complaint() throws {
        let script = try Script("versions 1\nclient > get a\\n\n1 < get b\\n\n", name: "wrong.txt")
        let failure = #expect(throws: VerificationFailure.self) { try script.run(StoreAdapter()) }
        let text = failure?.description ?? ""
        #expect(text.contains("wrong.txt:3"))
        #expect(text.contains("expected 'get b\\n'"))
        #expect(text.contains("got      'get a\\n'"))
    }

    @Test(
        "a line that means nothing is refused with its number",
        arguments: [
            "hello", "versions x", "client >> a", "client > \\q", "client lost", "1 leaves", "missed 1 burn a",
            "missed 1 copy", "missed x", "behind", "caught-up", "diverged x", "failed", "failed -1", "unlike 1",
            "proxy > a", "1/proxy closed", "1/prox > a",
        ])
    func nonsense(_ line: String) {
        let failure = #expect(throws: VerificationFailure.self) { try Script("\n" + line) }
        #expect(failure?.description.contains("script:2") == true)
    }
}
