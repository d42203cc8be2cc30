import { HtsvaultError, type Place } from '#shared/errors.ts'

/** An error met in a VCF or BCF file: what is not known of its place `place` tells. */
export function explainVariants(error: HtsvaultError, place: Place): HtsvaultError {
  if (error.code !== 'NOT_BGZF') return error.at(place)
  return new HtsvaultError('NOT_BGZF', error.message, {
    place: { ...place, ...error.place },
    hint: 'gunzip -c FILE.vcf.gz | bgzip > NEW.vcf.gz (or: bcftools view -Oz -o NEW.vcf.gz FILE.vcf.gz)',
    cause: error.cause,
  })
}
