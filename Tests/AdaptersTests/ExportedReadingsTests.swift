import Testing
import VersionKit

@testable import IrisLogAdapter

@Suite("The readings in an exported IrisLog")
struct ExportedReadingsTests {
    private func updates(_ xml: String) -> [IrisLogRequest.Kind] { ExportedReadings(xml).updates.map(\.kind) }

    @Test("each becomes an update of its node, in the order of the export, and current values none")
    func updates() {
        let xml = """
            <country id="earth" host="10.0.0.1"><region id="north"><site id="a">
            <node id="n1"><current sensor="load" sequence="2" at="6">0.6</current>
            <reading sensor="load" sequence="1" at="5">0.5</reading><reading sensor="load" sequence="2" at="6">0.6</reading>
            </node><node id="n0" host="10.0.0.3"/><node id="n2"><reading sensor="disk" sequence="9" at="7"/></node>
            </site></region></country>
            """
        let site = "/country[@id='earth']/region[@id='north']/site[@id='a']"
        #expect(
            updates(xml) == [
                .update(path: site + "/node[@id='n1']", sensor: "load", sequence: 1, at: 5, value: "0.5"),
                .update(path: site + "/node[@id='n1']", sensor: "load", sequence: 2, at: 6, value: "0.6"),
                .update(path: site + "/node[@id='n2']", sensor: "disk", sequence: 9, at: 7, value: ""),
            ])
    }

    @Test("a value is what it was before it was written as XML")
    func values() {
        let xml =
            #"<node id="n"><reading sensor="s" sequence="1" at="2">a&lt;b&amp;&#233;&#x41;&quot;&apos;&gt;</reading></node>"#
        #expect(updates(xml) == [.update(path: "/node[@id='n']", sensor: "s", sequence: 1, at: 2, value: "a<b&éA\"'>")])
    }

    @Test(
        "what is no export gives nothing, and does not end anything",
        arguments: ["", "<", "<reading", "</node></node>", "a&b;", "<reading sensor=\"s\" sequence=\"-1\" at=\"1\">x"])
    func others(xml: String) {
        #expect(updates(xml).isEmpty)
    }
}
