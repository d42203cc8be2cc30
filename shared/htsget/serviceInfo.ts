import { formatsOf, type Datatype } from './HtsgetQuery.ts'

/** What a deployment says of itself (GA4GH service-info 1.0.0). */
export interface ServiceInfoProps {
  /** Unique, in reverse domain notation. */
  readonly id: string
  readonly name: string
  /** The version of the service, not of htsget. */
  readonly version: string
  /** Who runs it. */
  readonly organization?: { readonly name: string; readonly url: string }
  readonly description?: string
  readonly contactUrl?: string
  readonly documentationUrl?: string
  /** `prod`, `test`, `dev` … */
  readonly environment?: string
  /** The Crypt4GH key that uploads can be encrypted for, PEM. */
  readonly publicKey?: string
}

const htsgetUrl = 'https://samtools.github.io/hts-specs/htsget.html'

/**
 * The answer to `/reads/service-info` or `/variants/service-info` (GA4GH service-info 1.0.0, htsget 1.3.0). `fields`
 * and `tags` are of reads; variants come with everything, and it says so.
 */
export const serviceInfo = (
  datatype: Datatype,
  { organization = { name: 'htsvault', url: htsgetUrl }, publicKey, ...rest }: ServiceInfoProps,
) => ({
  ...rest,
  type: { group: 'org.ga4gh', artifact: 'htsget', version: '1.3.0' },
  organization,
  htsget: {
    datatype,
    formats: formatsOf[datatype],
    fieldsParameterEffective: datatype === 'reads',
    tagsParametersEffective: datatype === 'reads',
  },
  ...(publicKey !== undefined && { crypt4gh: { publicKey } }),
})
