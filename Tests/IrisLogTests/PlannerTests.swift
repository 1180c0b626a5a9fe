import IrisLogCore
import Testing

struct PlannerTests {
    private let hierarchy: Hierarchy

    init() throws { hierarchy = try Hierarchy(xml: hierarchyXML(a: "a", b: "b", c: "c")) }

    private func plan(_ xpath: String, at me: String = "a") -> QueryPlan {
        QueryPlanner(hierarchy: hierarchy, me: me).plan(xpath)
    }

    private let root = IDPath(["earth"])

    @Test("A path below the nodes is spread over the owners")
    func spread() {
        #expect(
            plan("/country/region/site/node/current[@sensor='load']")
                == .spread([
                    .ask(host: "b", xpath: hamburg + "/node/current[@ sensor = 'load']"),
                    .ask(host: "c", xpath: kiel + "/node/current[@ sensor = 'load']"),
                ]))
        #expect(
            plan(hamburg + "/node[current > 1]/@id", at: "b")
                == .spread([
                    .local(xpath: hamburg + "/node[@id='n1'][current > 1]/@id"),
                    .ask(host: "c", xpath: hamburg + "/node[@id='n2'][current > 1]/@id"),
                ]))
    }

    @Test("The owner of the smallest subtree answers the whole query")
    func forward() {
        #expect(plan(hamburg + "/node/current") == .forward(host: "b"))
        #expect(plan("/country/region/site/node[@id='k1']/current") != .forward(host: "c"))
        #expect(plan("/country/region/site[@id='kiel']/node[@id='k1']/current") == .forward(host: "c"))
        #expect(plan("count(//node)", at: "b") == .forward(host: "a"))
    }

    @Test("A path that leads nowhere needs nobody")
    func nothing() {
        #expect(plan("/country[@id='mars']/region/@id") == .nothing)
        #expect(plan("/country/region/site[@host='z']/@id") == .nothing)
    }

    @Test("Whole elements are gathered from the smallest subtree")
    func wholeElements() throws {
        #expect(plan("/country/region/site") == .gather(try path("/country[@id='earth']/region[@id='north']")))
        #expect(plan(hamburg + "/*", at: "b") == .gather(try path(hamburg)))
    }

    @Test(
        "What is no plain path is gathered from the root",
        arguments: [
            "//node", "count(/country/region)", "/country/region | /country", "/country//node/@id",
            "/country/region/..",
            "/country/child::region/@id", "(/country/region)[1]", "/", "1 + 1", "'/country/@id'", "/country/@id = 'x'",
            "/country/region/site/node/current[../@id = 'n1']", "/country/region/site/node/current[/country]",
            "/country/.", "/country//x | /country", "/country//node = 1", "/country//x * /country/@id",
            "/country//node/..", "/country//node[//x]", "/country//node[1 * /country/@x = 1]",
            "/country[@id='x'\u{301}]/@id", "/country['",
        ])
    func gatherAll(xpath: String) throws {
        #expect(plan(xpath) == .gather(try path("/country[@id='earth']")))
    }

    @Test("Descendants are gathered from the smallest subtree that the steps before them lead to")
    func descendants() throws {
        #expect(plan(hamburg + "//current[@sensor='load'][. > 1]/@at", at: "b") == .gather(try path(hamburg)))
        #expect(plan(hamburg + "/node//text()", at: "b") == .gather(try path(hamburg)))
        #expect(plan(kiel + "/node[@id='k1']//reading[.//x]") == .forward(host: "c"))
        #expect(
            plan("/country/region[@id='north']/site[1]//current")
                == .gather(try path("/country[@id='earth']/region[@id='north']")))
        #expect(plan("/country[@id='mars']//node") == .nothing)
        // What looks at the rest of the tree needs all of it.
        for wide in ["//x[../@id]", "//x[ancestor::site]", "//x | //y", "//x[1 * /country/@id = 1]", "//x + 1"] {
            #expect(plan(hamburg + wide) == .gather(try path("/country[@id='earth']")), "\(wide)")
        }
    }

    @Test("A star or a word between operands is an operator, elsewhere a name")
    func operators() {
        #expect(plan("/country/region/site[@id='kiel' and @host='c']/@id") == .forward(host: "c"))
        #expect(plan("/country/region/site[@id='kiel']/node[and or */@div]/@id") == .forward(host: "c"))
        #expect(plan("/country/region/site[@id='kiel']/node[current * 2]/@id") == .forward(host: "c"))
        #expect(
            plan("/country/region/site/node/current[. * /country/@x > 1]") == root.map { .gather($0) })
    }

    @Test(
        "Predicates that could mean a position are not spread",
        arguments: [
            "1", "position() = 1", "last()", "count(node)", "string-length(@id)", "@id + 1", "node", "current > 1",
            "node[2]/@id = 'x'", "node * 1", "number(@id)", "not(@id) + 1", "(1)", "-1",
        ])
    func positions(predicate: String) throws {
        #expect(
            plan("/country/region/site[\(predicate)]/node/@id")
                == .gather(try path("/country[@id='earth']/region[@id='north']")))
    }

    @Test(
        "Predicates on attributes are decided by the hierarchy alone",
        arguments: [
            "starts-with(@id, 'ki')", "@id = 'kiel' or @id = 'x'", "@host = 'c'", "not(@id = 'hamburg')",
            "@id=\"kiel\"",
        ])
    func attributes(predicate: String) {
        #expect(plan("/country/region/site[\(predicate)]/@id") == .forward(host: "c"))
    }

    @Test(
        "A hierarchy with double ids, wrong levels or bad hosts is refused",
        arguments: [
            "<country id='a' host='h'><region id='b' host='h'/><region id='b' host='h'/></country>",
            "<country id='a' host='h'><site id='b' host='h'/></country>", "<country id='a b' host='h'/>",
            "<country id='a'/>", "<country id='a' host='h:0'/>", "<country id='a' host='h'>", "",
            "<!DOCTYPE country [<!ENTITY x 'y'>]><country id='a' host='h'/>",
        ])
    func badHierarchies(xml: String) {
        #expect(throws: IrisLogError.self) { _ = try Hierarchy(xml: xml) }
    }

    @Test("A configuration has its settings once, and comments")
    func configuration() throws {
        let text = "# me\nself 10.99.1.1 # here\n\ndata /var/lib/irislog\nclient-port 7000\npeer-port 0\n"
        let configuration = try Configuration(text: text)
        #expect(configuration.me == "10.99.1.1")
        #expect(configuration.clientPort == 7000 && configuration.peerPort == 0)
        #expect(configuration.listen == "0.0.0.0")
        for bad in ["self x\n", text + "self y\n", text + "colour red\n", text + "listen\n"] {
            #expect(throws: IrisLogError.self) { _ = try Configuration(text: bad) }
        }
    }

    @Test("A server's address is a name or IPv4, or IPv6 in brackets, with or without a port")
    func hostAddresses() {
        #expect(HostAddress("10.0.0.1:7100")?.port == 7100)
        #expect(HostAddress("n1")?.address == "n1")
        #expect(HostAddress("[2001:db8::1]")?.address == "2001:db8::1")
        #expect(HostAddress("[2001:db8::1]:7100")?.port == 7100)
        for bad in ["", "n1:", "n1:0", "n1:x", "2001:db8::1", "[n1]", "[]", "[::1", "[::1]7100", "[::1]:0", "a:1:2"] {
            #expect(HostAddress(bad) == nil, "\(bad)")
        }
    }

    @Test("The host's own figures are there")
    func hostReadings() {
        #expect(HostReadings.read().map(\.sensor) == ["load", "memory", "received", "sent"])
    }
}
