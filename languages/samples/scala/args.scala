object Arguments {
  def main(args: Array[String]): Unit =
    for ((argument, index) <- args.zipWithIndex) println(s"Arg $index: $argument")
}
