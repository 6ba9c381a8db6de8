object Main extends App {
  throw new IllegalStateException("nobody catches this")
}
