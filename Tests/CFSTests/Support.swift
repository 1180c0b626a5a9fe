import CFSSimulation

/// A generator for one test.
func seeded(_ seed: UInt64 = 1) -> SeededRandom { SeededRandom(seed: seed) }
