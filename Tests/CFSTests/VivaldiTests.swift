import CFSModel
import CFSRing
import CFSSimulation
import Testing

@Suite("Coordinates")
struct VivaldiTests {
    /// Nodes in a plane, each with a way of its own to the net: what coordinates with a height can show.
    private struct World {
        var places: [(x: Double, y: Double, height: Double)] = []
        var nodes: [Vivaldi] = []
        var random: SeededRandom

        init(_ count: Int, seed: UInt64) {
            random = SeededRandom(seed: seed)
            for _ in 0..<count {
                let x = Double.random(in: 0...80_000, using: &random)
                let y = Double.random(in: 0...80_000, using: &random)
                places.append((x, y, Double.random(in: 1000...20_000, using: &random)))
                nodes.append(Vivaldi())
            }
        }

        func roundTrip(_ a: Int, _ b: Int) -> Double {
            let (dx, dy) = (places[a].x - places[b].x, places[a].y - places[b].y)
            return (dx * dx + dy * dy).squareRoot() + places[a].height + places[b].height
        }

        mutating func measure(_ samples: Int) {
            for _ in 0..<samples {
                for index in nodes.indices {
                    let other = Int.random(in: 0..<nodes.count, using: &random)
                    guard other != index else { continue }
                    let time = Duration.microseconds(Int64(roundTrip(index, other)))
                    nodes[index].note(time, to: nodes[other].coordinates, using: &random)
                }
            }
        }

        /// The median share by which estimates are wrong.
        func error() -> Double {
            var errors: [Double] = []
            for a in nodes.indices {
                for b in nodes.indices where a < b {
                    let estimate = nodes[a].coordinates.distance(to: nodes[b].coordinates)
                    errors.append(abs(estimate - roundTrip(a, b)) / roundTrip(a, b))
                }
            }
            return errors.sorted()[errors.count / 2]
        }
    }

    @Test("nodes that measure each other find out where they are")
    func converges() {
        var world = World(40, seed: 1)
        world.measure(150)
        #expect(world.error() < 0.12)
        #expect(world.nodes.allSatisfy { (0..<500).contains($0.coordinates.error) })
    }

    @Test("a newcomer finds its place without moving the others much")
    func newcomer() {
        var world = World(30, seed: 2)
        world.measure(150)
        let before = world.nodes[0].coordinates
        world.places.append((5000, 70_000, 3000))
        world.nodes.append(Vivaldi())
        #expect(world.nodes[30].coordinates.error == -1)
        world.measure(40)
        #expect(world.error() < 0.1)
        #expect(before.distance(to: world.nodes[0].coordinates) < 60_000)
    }

    @Test("absurd round trips and absurd places leave a place that can be sent")
    func absurd() {
        var (node, random) = (Vivaldi(), seeded())
        let far = Coordinates(x: .max, y: .min, height: .max, error: .max)
        for time in [Duration.zero, .seconds(-5), .microseconds(1), .seconds(29), .seconds(100_000)] {
            for _ in 0..<200 { node.note(time, to: far, using: &random) }
        }
        #expect(abs(Int(node.coordinates.x)) <= 30_000_000 && abs(Int(node.coordinates.y)) <= 30_000_000)
        #expect((100...30_000_000).contains(node.coordinates.height))
        #expect((0...1000).contains(node.coordinates.error))
    }
}
