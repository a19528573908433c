"""A program that declares nothing."""

import pulumi

pulumi.log.info("nothing")
